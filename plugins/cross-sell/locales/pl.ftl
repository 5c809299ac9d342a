# Dlaczego produkt jest polecany.
reason-goes-with = Pasuje do: { $product }
reason-bought-with = Często kupowane razem z: { $product }
reason-goes-with-viewed = Pasuje do oglądanego: { $product }
reason-bought-with-viewed = Często kupowane razem z oglądanym: { $product }
reason-goes-with-owned = Pasuje do Twojego zakupu: { $product }
reason-bought-with-owned = Często kupowane z tym, co już masz: { $product }
reason-popular = Popularne wśród naszych klientów

# Wiadomość, gdy paczka jest w drodze.
together-subject = Często kupowane z zamówieniem { $number }
together-preheader = Paczka jest w drodze, a my podpowiadamy, co inni wzięli razem z tym.
together-title = Twoja paczka jest w drodze
together-intro = { $count ->
    [one] Klienci, którzy wybrali to samo, często brali także ten produkt.
    [few] Klienci, którzy wybrali to samo, często brali także te { $count } produkty.
    [many] Klienci, którzy wybrali to samo, często brali także te { $count } produktów.
   *[other] Klienci, którzy wybrali to samo, często brali także te { $count } produktu.
  }
together-button = Zajrzyj do sklepu
