# Ways of delivery. `method-<id>` names a method; add one line for each method of your own.
method-economy = Economy
method-standard = Standard delivery
method-express = Express
method-same-day = Same day
method-locker = Parcel locker
method-pickup = Collect from a partner point
method-store = Collect from our shop
method-post = By post
method-digital = Download, at once
# Shown under a method as long as its cut-off of today is near.
order-within = Order within { $hours } h { $minutes } min
order-within-hours = Order within { $hours } h
order-within-minutes = Order within { $minutes } min

# The product page.
delivery-to = Delivery to { $place }
delivery-cheapest = { $title }: { $price }, with you on { $earliest }.
delivery-cheapest-range = { $title }: { $price }, with you between { $earliest } and { $latest }.
delivery-cheapest-free = { $title }: free, with you on { $earliest }.
delivery-cheapest-free-range = { $title }: free, with you between { $earliest } and { $latest }.
delivery-fastest = Need it sooner? { $title } arrives on { $earliest } for { $price }.
delivery-fastest-range = Need it sooner? { $title } arrives between { $earliest } and { $latest } for { $price }.
delivery-fastest-free = Need it sooner? { $title } arrives on { $earliest }, free.
delivery-fastest-free-range = Need it sooner? { $title } arrives between { $earliest } and { $latest }, free.
delivery-free-from = Free delivery from { $threshold }.
delivery-digital = Nothing to ship: yours right after you have paid.

# The cart.
delivery-free-missing = Add { $missing } more and delivery is free.

# Countries, for "Delivery to …". Another country shows its two letters.
country-AT = Austria
country-AU = Australia
country-BE = Belgium
country-BG = Bulgaria
country-CA = Canada
country-CH = Switzerland
country-CY = Cyprus
country-CZ = Czechia
country-DE = Germany
country-DK = Denmark
country-EE = Estonia
country-ES = Spain
country-FI = Finland
country-FR = France
country-GB = the United Kingdom
country-GR = Greece
country-HR = Croatia
country-HU = Hungary
country-IE = Ireland
country-IT = Italy
country-JP = Japan
country-LT = Lithuania
country-LU = Luxembourg
country-LV = Latvia
country-MT = Malta
country-NL = the Netherlands
country-NO = Norway
country-PL = Poland
country-PT = Portugal
country-RO = Romania
country-SE = Sweden
country-SI = Slovenia
country-SK = Slovakia
country-UA = Ukraine
country-US = the United States
