favourite = Your favourite, bought { $count } times before
returning = Thank you for { $count } orders
