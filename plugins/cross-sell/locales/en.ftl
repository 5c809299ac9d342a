# Why a product is recommended.
reason-goes-with = Goes well with { $product }
reason-bought-with = Often bought with { $product }
reason-goes-with-viewed = Goes well with { $product }, which you looked at
reason-bought-with-viewed = Often bought with { $product }, which you looked at
reason-goes-with-owned = Goes well with { $product } that you bought
reason-bought-with-owned = Often bought with { $product } that you bought
reason-popular = Popular with our customers

# The mail while the parcel is on its way.
together-subject = Often bought with your order { $number }
together-preheader = While your parcel is on its way: what others took with it.
together-title = Your parcel is on its way
together-intro = { $count ->
    [one] Customers who chose what you chose often took this too.
   *[other] Customers who chose what you chose often took these { $count } too.
  }
together-button = Look around the shop
