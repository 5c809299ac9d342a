# Собственные тексты хоста.

mail-greeting = { $kind ->
    [named] Здравствуйте, { $name }!
    [both] Здравствуйте, { $name } ({ $company })!
    [company] Здравствуйте, { $company }!
   *[nobody] Здравствуйте!
}
mail-signature = Ваша команда { $shop }
mail-recommendations = Вам может понравиться
mail-contact = Есть вопросы? Мы рады помочь.
mail-contact-page = Контакты и помощь
mail-why-transactional = Вы получили это письмо в связи с заказом в { $shop }.
mail-why-updates = Вы получили это письмо, потому что делаете покупки в { $shop }.
mail-why-marketing = Вы получили это письмо, потому что согласились на рассылку { $shop }.
mail-unsubscribe = Отписаться
unsubscribe-marketing = Больше не получать предложения и рекомендации от { $shop }?
unsubscribe-updates = Больше не получать новости о заказах от { $shop }? Подтверждения будут приходить.
unsubscribe-done = Готово: вы больше не получите таких сообщений. То, чего требуют ваши заказы, будет приходить.

order-heading = Заказ { $number }
order-placed-on = Оформлен: { $date }
order-subtotal = Товары
order-discount = Скидка
order-delivery = Доставка
order-free = Бесплатно
order-tax = Налог
order-tax-included = В том числе налог { $tax }
order-total = Итого

delivery-arrives = Доставка
delivery-by = Способ доставки
delivery-expected = Ожидается
tracking-link = Отследить посылку

progress-placed = Заказано
progress-shipped = Отправлено
progress-out = В пути
progress-delivered = Доставлено

coupon-percent = Скидка { $percent }
coupon-amount = Скидка { $amount }
coupon-free-delivery = Бесплатная доставка
coupon-from = Для заказов от { $amount }
coupon-until = Действует до: { $when }

code-unknown = Мы не знаем этого кода, или он не подходит к этой корзине.
code-expired = Этот код действовал до: { $when }.
code-used-up = Этот код уже использован.
code-reserved = Этот код сейчас используется в другом заказе. Попробуйте ещё раз через несколько минут.
code-another-customer = Это личный код. Войдите в аккаунт, на который он был отправлен.
code-below-minimum = Этот код действует для заказов от { $amount }.
code-wrong-currency = Этот код действует для заказов в другой валюте.
code-excluded = Этот код нельзя объединить с другими вашими скидками.

today = сегодня
tomorrow = завтра
yesterday = вчера
today-at = сегодня, { $time }
tomorrow-at = завтра, { $time }
duration = { $shape ->
    [hours] { $hours } ч
    [minutes] { $minutes } мин
   *[both] { $hours } ч { $minutes } мин
}
