# Zamówienie złożone.
confirmation-subject = Potwierdzamy zamówienie { $number }
confirmation-preheader = Dziękujemy! Razem { $total }. W środku: co dalej.
confirmation-title = Dziękujemy za zamówienie
confirmation-intro = Mamy zamówienie { $number } i wszystko się zgadza.
confirmation-next = Co dalej
confirmation-step-pack = Sprawdzamy i pakujemy zamówienie.
confirmation-step-ship = Gdy wyjdzie od nas, przyślemy wiadomość z linkiem do śledzenia.
confirmation-step-arrive = Będzie u Ciebie: { $arrival }.
confirmation-step-follow = Damy znać, gdy będzie blisko.
confirmation-step-digital = Dostęp przyjdzie w osobnej wiadomości.
confirmation-step-help = Gdyby czegoś brakowało, wystarczy jedna wiadomość do nas.
confirmation-contact = Coś się nie zgadza? Napisz od razu: dopóki paczka nie wyjdzie, możemy to zmienić.
confirmation-contact-digital = Coś się nie zgadza? Napisz, a wszystko poprawimy.
order-button = Zobacz zamówienie

# Paczka wyszła.
shipped-subject = Zamówienie { $number } jest w drodze
shipped-preheader = { $carrier ->
    [none] Właśnie od nas wyszło. Śledź je pod linkiem w środku.
   *[other] Wiezie je { $carrier }. Śledź je pod linkiem w środku.
  }
shipped-title = Twoja paczka jest w drodze
shipped-intro = Zamówienie { $number } właśnie od nas wyszło.
shipped-parcel = W tej paczce
shipped-rest = Reszta zamówienia przyjdzie w osobnej paczce; damy znać.
shipped-help = Powiemy o każdym kroku, aż paczka będzie w Twoich rękach.

# Każdy etap dostawy.
stage-in-transit-subject = Zamówienie { $number } jedzie
stage-in-transit-title = Paczka jedzie
stage-in-transit-intro = { $place ->
    [none] Przewoźnik ma paczkę i jedzie ona do Ciebie.
   *[other] Przewoźnik ma paczkę i jedzie ona do Ciebie. Ostatnio tutaj: { $place }.
  }
stage-arrived-at-facility-subject = Zamówienie { $number } jest coraz bliżej
stage-arrived-at-facility-title = Paczka jest coraz bliżej
stage-arrived-at-facility-intro = { $place ->
    [none] Paczka dotarła do kolejnej sortowni.
   *[other] Paczka dotarła tutaj: { $place }.
  }
stage-out-for-delivery-subject = Dziś: kurier wiezie zamówienie { $number }
stage-out-for-delivery-title = Dziś będzie u Ciebie
stage-out-for-delivery-intro = { $place ->
    [none] Kurier ma paczkę i dziś ją przywiezie.
   *[other] Kurier ma paczkę ({ $place }) i dziś ją przywiezie.
  }
stage-ready-for-pickup-subject = Zamówienie { $number } czeka na odbiór
stage-ready-for-pickup-title = Czeka na odbiór
stage-ready-for-pickup-intro = { $place ->
    [none] Paczka czeka w wybranym punkcie.
   *[other] Paczka czeka tutaj: { $place }.
  }
stage-attempted-subject = Kurier nikogo nie zastał: zamówienie { $number }
stage-attempted-title = Kurier nikogo nie zastał
stage-attempted-intro = Kurier był z paczką i nikogo nie zastał. Pod linkiem do śledzenia widać, co dalej, i można wybrać inny dzień.
stage-delayed-subject = Zamówienie { $number } się spóźni
stage-delayed-title = Paczka się spóźni
stage-delayed-intro = { $arrival ->
    [none] Przepraszamy: paczka nie przyjdzie wtedy, kiedy obiecaliśmy.
   *[other] Przepraszamy: paczka nie przyjdzie wtedy, kiedy obiecaliśmy. Nowy termin: { $arrival }.
  }
stage-problem-subject = Kłopot z dostawą zamówienia { $number }
stage-problem-title = Jest kłopot z paczką
stage-problem-intro = Przepraszamy: przewoźnik zgłasza kłopot z paczką. Wyjaśniamy to; na razie nie trzeba nic robić.
stage-returning-subject = Zamówienie { $number } wraca do nas
stage-returning-title = Paczka wraca do nas
stage-returning-intro = Przewoźnik nie mógł oddać paczki i wiezie ją z powrotem. Napisz do nas, a wyślemy ją jeszcze raz albo zwrócimy pieniądze.
stage-delivered-subject = Dotarła jedna z paczek zamówienia { $number }
stage-delivered-title = Jedna paczka dotarła
stage-delivered-intro = { $place ->
    [none] Jedna z paczek zamówienia została dostarczona. Reszta jeszcze przyjdzie; damy znać.
   *[other] Jedna z paczek zamówienia została dostarczona: { $place }. Reszta jeszcze przyjdzie; damy znać.
  }
stage-preheader = { $place ->
    [none] Gdzie jest i kiedy będzie.
   *[other] Teraz: { $place }.
  }
stage-note = Przewoźnik pisze: { $note }
stage-sorry = Wiemy, że na nią czekasz. Jeśli nowy dzień nie pasuje, napisz do nas, a coś wymyślimy.

# Dostarczone.
delivered-subject = Zamówienie { $number } dotarło. Jak wrażenia?
delivered-preheader = Minuta z Twojej strony pomoże innym wybrać, a nam się poprawić.
delivered-title = Dotarło
delivered-intro = Zamówienie { $number } zostało dostarczone. Niech się dobrze sprawuje!
delivered-ask = Jak się podoba? Kilka słów od Ciebie pomoże innym wybrać, a nam się poprawić.
delivered-rate = 1 = wcale, 5 = bardzo
delivered-button = Napisz opinię
delivered-contents = Co było w zamówieniu

# Dzień później.
check-in-subject = Czy wszystko w porządku z { $number }?
check-in-preheader = Jeśli coś jest nie tak, naprawimy to.
check-in-title = Czy wszystko w porządku?
check-in-intro = { $day ->
    [none] Zamówienie { $number } już dotarło. Czy wszystko pasuje, działa i cieszy?
   *[other] Zamówienie { $number } już dotarło ({ $day }). Czy wszystko pasuje, działa i cieszy?
  }
check-in-help = Jeśli coś jest nie tak, napisz: naprawimy to. A jeśli wszystko dobrze, też chętnie o tym przeczytamy.
check-in-button = Napisz do nas
