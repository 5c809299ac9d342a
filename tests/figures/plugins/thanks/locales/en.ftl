subject = Thank you for order { $number }
preheader = { $total }
title = Thank you
intro = We are packing order { $number } for { $total }.
