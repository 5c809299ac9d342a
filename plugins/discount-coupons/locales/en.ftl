# A campaign is called by its title in the settings. To give it a name in each language, add
# `campaign-<code in small letters> = …`; `{ $code }` is the code.

# Why a code does not help yet.
code-not-started = { $code } is valid from { $date }.
code-ended = { $code } was valid until { $date }.
code-minimum = { $code } needs { $missing } more in the cart.
code-products = { $code } is for other products than those in the cart.
code-segment = { $code } is for another group of customers.
code-first-order = { $code } is for the first order.
code-used = You have used { $code } already.
code-sign-in = Sign in to use { $code }.
code-currency = { $code } cannot be used in this currency.

# "Add something before we ship".
# `{ $value }` is what the coupon gives: "10% off".
today-subject = { $value } if you order by midnight
today-preheader = Your order { $number } has not left yet. Forgotten something?
today-title = Forgotten something?
today-intro = Your order { $number } has not left yet. With this code you get { $value } whatever you add today.
today-terms = Yours alone, for one order.
today-button = Go to the shop

# Free delivery on the next order.
next-subject = Your next delivery is on us
next-preheader = Thank you for order { $number }. Here is a code for the next one.
next-title = The next delivery is on us
next-intro = Your order { $number } has arrived. Thank you! We deliver your next one for free.
next-terms = Yours alone, for one order.
next-button = Go to the shop
