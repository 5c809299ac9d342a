# Teksty hosta.

mail-greeting = { $kind ->
    [named] Cześć { $name },
    [both] Cześć { $name } ({ $company }),
    [company] Dzień dobry, { $company },
   *[nobody] Dzień dobry,
}
mail-signature = Zespół { $shop }
mail-recommendations = To też może Ci się spodobać
mail-contact = Masz pytania? Chętnie pomożemy.
mail-contact-page = Kontakt i pomoc
mail-why-transactional = Otrzymujesz tę wiadomość w związku z zamówieniem w { $shop }.
mail-why-updates = Otrzymujesz tę wiadomość, ponieważ robisz zakupy w { $shop }.
mail-why-marketing = Otrzymujesz tę wiadomość, ponieważ zgodzono się na wiadomości od { $shop }.
mail-unsubscribe = Wypisz się
unsubscribe-marketing = Nie chcesz już otrzymywać ofert i rekomendacji od { $shop }?
unsubscribe-updates = Nie chcesz już otrzymywać wiadomości o przebiegu zamówień od { $shop }? Potwierdzenia nadal będą przychodzić.
unsubscribe-done = Gotowe: nie otrzymasz więcej takich wiadomości. To, czego wymagają Twoje zamówienia, nadal będzie wysyłane.

order-heading = Zamówienie { $number }
order-placed-on = Złożone: { $date }
order-subtotal = Wartość produktów
order-discount = Rabat
order-delivery = Dostawa
order-free = Gratis
order-tax = Podatek
order-tax-included = W tym podatek { $tax }
order-total = Razem

delivery-arrives = Dostawa
delivery-by = Sposób dostawy
delivery-expected = Przewidywana dostawa
tracking-link = Śledź przesyłkę

progress-placed = Zamówione
progress-shipped = Wysłane
progress-out = W drodze
progress-delivered = Dostarczone

coupon-percent = { $percent } rabatu
coupon-amount = { $amount } rabatu
coupon-free-delivery = Darmowa dostawa
coupon-from = Przy zamówieniu od { $amount }
coupon-until = Ważny do: { $when }

code-unknown = Nie znamy tego kodu lub nie dotyczy on tego koszyka.
code-expired = Ten kod był ważny do: { $when }.
code-used-up = Ten kod został już wykorzystany.
code-reserved = Ten kod jest właśnie używany w innym zamówieniu. Spróbuj ponownie za kilka minut.
code-another-customer = To jest kod osobisty. Zaloguj się na konto, na które został wysłany.
code-below-minimum = Ten kod działa przy zamówieniu od { $amount }.
code-wrong-currency = Ten kod dotyczy zamówień w innej walucie.
code-excluded = Tego kodu nie można połączyć z pozostałymi rabatami.

today = dziś
tomorrow = jutro
yesterday = wczoraj
today-at = dziś, { $time }
tomorrow-at = jutro, { $time }
duration = { $shape ->
    [hours] { $hours } godz.
    [minutes] { $minutes } min
   *[both] { $hours } godz. { $minutes } min
}
