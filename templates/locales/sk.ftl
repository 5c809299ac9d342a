# Vlastné texty hostiteľa.

mail-greeting = { $kind ->
    [named] Dobrý deň, { $name },
    [both] Dobrý deň, { $name } ({ $company }),
    [company] Dobrý deň, { $company },
   *[nobody] Dobrý deň,
}
mail-signature = Váš tím { $shop }
mail-recommendations = Mohlo by sa vám páčiť
mail-contact = Máte otázky? Radi pomôžeme.
mail-contact-page = Kontakt a pomoc
mail-why-transactional = Túto správu ste dostali kvôli objednávke v { $shop }.
mail-why-updates = Túto správu ste dostali, pretože nakupujete v { $shop }.
mail-why-marketing = Túto správu ste dostali, pretože ste súhlasili so správami od { $shop }.
mail-unsubscribe = Odhlásiť sa
unsubscribe-marketing = Nechcete už dostávať ponuky a odporúčania od { $shop }?
unsubscribe-updates = Nechcete už dostávať správy o priebehu objednávok od { $shop }? Potvrdenia budú chodiť ďalej.
unsubscribe-done = Hotovo: takéto správy už nedostanete. Čo si vyžadujú vaše objednávky, posielame ďalej.

order-heading = Objednávka { $number }
order-placed-on = Vytvorená: { $date }
order-subtotal = Medzisúčet
order-discount = Zľava
order-delivery = Doprava
order-free = Zadarmo
order-tax = Daň
order-tax-included = Vrátane dane { $tax }
order-total = Spolu

delivery-arrives = Doručenie
delivery-by = Spôsob doručenia
delivery-expected = Očakávané doručenie
tracking-link = Sledovať zásielku

progress-placed = Objednané
progress-shipped = Odoslané
progress-out = Na ceste
progress-delivered = Doručené

coupon-percent = Zľava { $percent }
coupon-amount = Zľava { $amount }
coupon-free-delivery = Doprava zadarmo
coupon-from = Pri objednávke od { $amount }
coupon-until = Platí do: { $when }

code-unknown = Tento kód nepoznáme alebo neplatí pre tento košík.
code-expired = Tento kód platil do: { $when }.
code-used-up = Tento kód už bol použitý.
code-reserved = Tento kód sa práve používa v inej objednávke. Skúste to znova o niekoľko minút.
code-another-customer = Tento kód je osobný. Prihláste sa do účtu, na ktorý bol zaslaný.
code-below-minimum = Tento kód platí pri objednávke od { $amount }.
code-wrong-currency = Tento kód platí pre objednávky v inej mene.
code-excluded = Tento kód nemožno kombinovať s vašimi ostatnými zľavami.

today = dnes
tomorrow = zajtra
yesterday = včera
today-at = dnes, { $time }
tomorrow-at = zajtra, { $time }
duration = { $shape ->
    [hours] { $hours } h
    [minutes] { $minutes } min
   *[both] { $hours } h { $minutes } min
}
