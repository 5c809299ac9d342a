# Order placed.
confirmation-subject = Your order { $number } is confirmed
confirmation-preheader = Thank you! { $total } in all. What happens next is inside.
confirmation-title = Thank you for your order
confirmation-intro = We have received order { $number } and everything is in place.
confirmation-next = What happens next
confirmation-step-pack = We check and pack your order.
confirmation-step-ship = When it leaves us, you get a message with the tracking link.
confirmation-step-arrive = It arrives { $arrival }.
confirmation-step-follow = We tell you when it is near.
confirmation-step-digital = Your access comes in a message of its own.
confirmation-step-help = If anything is missing, we are one message away.
confirmation-contact = Is something not right? Tell us soon: until the parcel leaves, we can still change it.
confirmation-contact-digital = Is something not right? Tell us, and we put it in order.
order-button = View your order

# A parcel has left.
shipped-subject = Your order { $number } is on its way
shipped-preheader = { $carrier ->
    [none] It has left us just now. Follow it with the tracking link.
   *[other] { $carrier } has it now. Follow it with the tracking link.
  }
shipped-title = Your parcel is on its way
shipped-intro = Order { $number } has left us.
shipped-parcel = In this parcel
shipped-rest = The rest of your order comes in a parcel of its own; we will tell you.
shipped-help = We tell you about each step until it is in your hands.

# Each stage of delivery.
stage-in-transit-subject = Your order { $number } is moving
stage-in-transit-title = Your parcel is moving
stage-in-transit-intro = { $place ->
    [none] The carrier has your parcel, and it is moving towards you.
   *[other] The carrier has your parcel, and it is moving towards you. Last seen: { $place }.
  }
stage-arrived-at-facility-subject = Your order { $number } has come closer
stage-arrived-at-facility-title = Your parcel has come closer
stage-arrived-at-facility-intro = { $place ->
    [none] Your parcel has reached the next depot.
   *[other] Your parcel has reached { $place }.
  }
stage-out-for-delivery-subject = Today: your order { $number } is out for delivery
stage-out-for-delivery-title = It comes today
stage-out-for-delivery-intro = { $place ->
    [none] The courier has your parcel and brings it today.
   *[other] The courier has your parcel ({ $place }) and brings it today.
  }
stage-ready-for-pickup-subject = Your order { $number } is ready to collect
stage-ready-for-pickup-title = Ready to collect
stage-ready-for-pickup-intro = { $place ->
    [none] Your parcel waits for you at the point that you chose.
   *[other] Your parcel waits for you: { $place }.
  }
stage-attempted-subject = We missed you: order { $number }
stage-attempted-title = The courier missed you
stage-attempted-intro = The courier came with your parcel and met nobody. The tracking link shows what happens next and lets you choose another day.
stage-delayed-subject = Your order { $number } is late
stage-delayed-title = Your parcel is late
stage-delayed-intro = { $arrival ->
    [none] We are sorry: your parcel will not come when we said it would.
   *[other] We are sorry: your parcel will not come when we said it would. It is now expected { $arrival }.
  }
stage-problem-subject = A problem with the delivery of { $number }
stage-problem-title = There is a problem with your parcel
stage-problem-intro = We are sorry: the carrier reports a problem with your parcel. We are looking into it; you need do nothing now.
stage-returning-subject = Your order { $number } is coming back to us
stage-returning-title = Your parcel is coming back to us
stage-returning-intro = The carrier could not hand over your parcel and is bringing it back. Write to us, and we send it again or give your money back.
stage-delivered-subject = A parcel of order { $number } has arrived
stage-delivered-title = One parcel has arrived
stage-delivered-intro = { $place ->
    [none] One parcel of your order has been delivered. The rest is still to come; we will tell you.
   *[other] One parcel of your order has been delivered: { $place }. The rest is still to come; we will tell you.
  }
stage-preheader = { $place ->
    [none] Where it is, and when it comes.
   *[other] Now: { $place }.
  }
stage-note = The carrier says: { $note }
stage-sorry = We know that you count on it. If the new day does not suit you, write to us, and we find a way.

# Delivered.
delivered-subject = Your order { $number } has arrived. How is it?
delivered-preheader = A minute of yours helps others choose, and us to do better.
delivered-title = It has arrived
delivered-intro = Your order { $number } has been delivered. Enjoy it!
delivered-ask = How do you like it? A few words of yours help others choose, and us to do better.
delivered-rate = 1 = not at all, 5 = very much
delivered-button = Write a review
delivered-contents = What you ordered

# The day after.
check-in-subject = Is everything all right with { $number }?
check-in-preheader = If something is not as it should be, we put it right.
check-in-title = Is everything all right?
check-in-intro = { $day ->
    [none] Your order { $number } has arrived. Does everything fit, work and please?
   *[other] Your order { $number } arrived { $day }. Does everything fit, work and please?
  }
check-in-help = If something is not as it should be, tell us: we put it right. And if all is well, we are glad to hear that too.
check-in-button = Tell us
