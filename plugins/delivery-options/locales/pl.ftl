# Sposoby dostawy. `method-<id>` nazywa metodę; dopisz wiersz dla każdej własnej.
method-economy = Ekonomiczna
method-standard = Dostawa standardowa
method-express = Ekspresowa
method-same-day = Jeszcze dziś
method-locker = Paczkomat
method-pickup = Odbiór w punkcie partnerskim
method-store = Odbiór w naszym sklepie
method-post = Pocztą
method-digital = Do pobrania, od razu
# Pod metodą, dopóki blisko do dzisiejszej godziny granicznej.
order-within = Zamów w ciągu { $hours } godz. { $minutes } min
order-within-hours = Zamów w ciągu { $hours } godz.
order-within-minutes = Zamów w ciągu { $minutes } min

# Strona produktu.
delivery-to = Dostawa: { $place }
delivery-cheapest = { $title }: { $price }, u Ciebie: { $earliest }.
delivery-cheapest-range = { $title }: { $price }, u Ciebie: { $earliest } – { $latest }.
delivery-cheapest-free = { $title }: za darmo, u Ciebie: { $earliest }.
delivery-cheapest-free-range = { $title }: za darmo, u Ciebie: { $earliest } – { $latest }.
delivery-fastest = Potrzebujesz szybciej? { $title }: { $earliest }, za { $price }.
delivery-fastest-range = Potrzebujesz szybciej? { $title }: { $earliest } – { $latest }, za { $price }.
delivery-fastest-free = Potrzebujesz szybciej? { $title }: { $earliest }, za darmo.
delivery-fastest-free-range = Potrzebujesz szybciej? { $title }: { $earliest } – { $latest }, za darmo.
delivery-free-from = Darmowa dostawa od { $threshold }.
delivery-digital = Nic nie wysyłamy: dostęp zaraz po opłaceniu.

# Koszyk.
delivery-free-missing = Dodaj produkty za { $missing }, a dostawa będzie darmowa.

# Kraje, do „Dostawa: …”. Inny kraj pokazuje swoje dwie litery.
country-AT = Austria
country-AU = Australia
country-BE = Belgia
country-BG = Bułgaria
country-CA = Kanada
country-CH = Szwajcaria
country-CY = Cypr
country-CZ = Czechy
country-DE = Niemcy
country-DK = Dania
country-EE = Estonia
country-ES = Hiszpania
country-FI = Finlandia
country-FR = Francja
country-GB = Wielka Brytania
country-GR = Grecja
country-HR = Chorwacja
country-HU = Węgry
country-IE = Irlandia
country-IT = Włochy
country-JP = Japonia
country-LT = Litwa
country-LU = Luksemburg
country-LV = Łotwa
country-MT = Malta
country-NL = Holandia
country-NO = Norwegia
country-PL = Polska
country-PT = Portugalia
country-RO = Rumunia
country-SE = Szwecja
country-SI = Słowenia
country-SK = Słowacja
country-UA = Ukraina
country-US = Stany Zjednoczone
