# Tiers. `tier-<id>` names a tier; add one line for each tier of your own.
tier-bronze = Bronze
tier-silver = Silver
tier-gold = Gold
tier-platinum = Platinum

# The cart.
cart-earns = { $points ->
    [one] This order earns { $points } point.
   *[other] This order earns { $points } points.
  }
cart-earns-guest = { $points ->
    [one] Members earn { $points } point with this order.
   *[other] Members earn { $points } points with this order.
  }
cart-missing = { $points ->
    [one] { $points } point to { $tier }: add { $amount } more.
   *[other] { $points } points to { $tier }: add { $amount } more.
  }
cart-closer = { $points ->
    [one] { $points } point to { $tier }, and this order brings you closer.
   *[other] { $points } points to { $tier }, and this order brings you closer.
  }
cart-reaches = This order takes you to { $tier }.
cart-top = { $points ->
    [one] You are { $tier }. This order earns { $points } point.
   *[other] You are { $tier }. This order earns { $points } points.
  }

# A tier reached.
tier-subject = Welcome to { $tier }
tier-preheader = { $points ->
    [one] You have collected { $points } point.
   *[other] You have collected { $points } points.
  }
tier-title = Welcome to { $tier }
tier-intro = { $points ->
    [one] You have collected { $points } point, and that makes you { $tier }. Thank you for coming back to us.
   *[other] You have collected { $points } points, and that makes you { $tier }. Thank you for coming back to us.
  }
tier-next = { $missing ->
    [one] { $missing } point more, and you are { $next }.
   *[other] { $missing } points more, and you are { $next }.
  }
tier-button = Visit the shop

# The anniversary of the first purchase.
anniversary-subject = { $years ->
    [one] A year with you
   *[other] { $years } years with you
  }
anniversary-preheader = You bought from us for the first time on { $since }.
anniversary-title = { $years ->
    [one] A year together
   *[other] { $years } years together
  }
anniversary-intro = { $years ->
    [one] One year ago, on { $since }, you placed your first order with us. Thank you for trusting us since.
   *[other] { $years } years ago, on { $since }, you placed your first order with us. Thank you for trusting us since.
  }
anniversary-points = { $points ->
    [one] You have { $points } point with us.
   *[other] You have { $points } points with us.
  }
anniversary-button = See what is new
