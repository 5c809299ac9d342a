# 主机自己的文字。

mail-greeting = { $kind ->
    [named] { $name }，您好！
    [both] { $name }（{ $company }），您好！
    [company] { $company }，您好！
   *[nobody] 您好！
}
mail-signature = { $shop } 团队
mail-recommendations = 您可能也喜欢
mail-contact = 有疑问吗？我们很乐意帮助您。
mail-contact-page = 联系与帮助
mail-why-transactional = 您收到此邮件是因为您在 { $shop } 的订单。
mail-why-updates = 您收到此邮件是因为您是 { $shop } 的顾客。
mail-why-marketing = 您收到此邮件是因为您同意接收 { $shop } 的消息。
mail-unsubscribe = 退订
unsubscribe-marketing = 不再接收来自 { $shop } 的优惠和推荐？
unsubscribe-updates = 不再接收来自 { $shop } 的订单动态？订单确认仍会发送。
unsubscribe-done = 已完成：您不会再收到此类消息。订单本身需要的消息仍会发送。

order-heading = 订单 { $number }
order-placed-on = 下单时间：{ $date }
order-subtotal = 商品小计
order-discount = 优惠
order-delivery = 配送
order-free = 免费
order-tax = 税费
order-tax-included = 含税 { $tax }
order-total = 合计

delivery-arrives = 送达时间
delivery-by = 配送方式
delivery-expected = 预计送达
tracking-link = 查看物流

progress-placed = 已下单
progress-shipped = 已发货
progress-out = 派送中
progress-delivered = 已送达

coupon-percent = 优惠 { $percent }
coupon-amount = 优惠 { $amount }
coupon-free-delivery = 免运费
coupon-from = 订单满 { $amount } 可用
coupon-until = 有效期至：{ $when }

code-unknown = 我们不认识此优惠码，或它不适用于此购物车。
code-expired = 此优惠码的有效期至：{ $when }。
code-used-up = 此优惠码已被使用。
code-reserved = 此优惠码正在另一笔订单中使用，请几分钟后再试。
code-another-customer = 此优惠码仅限本人使用，请登录收到该码的账户。
code-below-minimum = 此优惠码适用于满 { $amount } 的订单。
code-wrong-currency = 此优惠码适用于其他货币的订单。
code-excluded = 此优惠码不能与您的其他优惠同时使用。

today = 今天
tomorrow = 明天
yesterday = 昨天
today-at = 今天 { $time }
tomorrow-at = 明天 { $time }
duration = { $shape ->
    [hours] { $hours } 小时
    [minutes] { $minutes } 分钟
   *[both] { $hours } 小时 { $minutes } 分钟
}
