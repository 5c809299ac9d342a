# The host's own texts. Plugins may use them in their templates; merchants may override them.

mail-greeting = { $kind ->
    [named] Hello { $name },
    [both] Hello { $name } ({ $company }),
    [company] Hello { $company },
   *[nobody] Hello,
}
mail-signature = Your { $shop } team
mail-recommendations = You may also like
mail-contact = Any questions? We are glad to help.
mail-contact-page = Contact and help
mail-why-transactional = You receive this message because of your order at { $shop }.
mail-why-updates = You receive this message because you are a customer of { $shop }.
mail-why-marketing = You receive this message because you agreed to hear from { $shop }.
mail-unsubscribe = Unsubscribe
unsubscribe-marketing = Do you want no more offers and recommendations from { $shop }?
unsubscribe-updates = Do you want no more news about your orders from { $shop }? Confirmations still come.
unsubscribe-done = Done: you get no more of these messages. What your orders themselves call for is still sent.

order-heading = Order { $number }
order-placed-on = Placed on { $date }
order-subtotal = Subtotal
order-discount = Discount
order-delivery = Delivery
order-free = Free
order-tax = Tax
order-tax-included = Including { $tax } tax
order-total = Total

delivery-arrives = Arrives
delivery-by = Delivery
delivery-expected = Expected
tracking-link = Track your parcel

progress-placed = Ordered
progress-shipped = Dispatched
progress-out = On its way
progress-delivered = Delivered

coupon-percent = { $percent } off
coupon-amount = { $amount } off
coupon-free-delivery = Free delivery
coupon-from = For orders from { $amount }
coupon-until = Valid until { $when }

code-unknown = We do not know this code, or it is not for this cart.
code-expired = This code was valid until { $when }.
code-used-up = This code has been used.
code-reserved = This code is held by a checkout that is under way. Please try again in a few minutes.
code-another-customer = This code is personal. Sign in to the account that it was sent to.
code-below-minimum = This code is for orders from { $amount }.
code-wrong-currency = This code is for orders in another currency.
code-excluded = This code cannot be combined with your other discounts.

today = today
tomorrow = tomorrow
yesterday = yesterday
today-at = today, { $time }
tomorrow-at = tomorrow, { $time }
duration = { $shape ->
    [hours] { $hours } h
    [minutes] { $minutes } min
   *[both] { $hours } h { $minutes } min
}
