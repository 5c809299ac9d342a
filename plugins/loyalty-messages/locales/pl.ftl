# Poziomy. `tier-<id>` nazywa poziom; dopisz wiersz dla każdego własnego.
tier-bronze = Brąz
tier-silver = Srebro
tier-gold = Złoto
tier-platinum = Platyna

# Koszyk.
cart-earns = { $points ->
    [one] To zamówienie daje { $points } punkt.
    [few] To zamówienie daje { $points } punkty.
    [many] To zamówienie daje { $points } punktów.
   *[other] To zamówienie daje { $points } punktu.
  }
cart-earns-guest = { $points ->
    [one] Klubowicze dostają za to zamówienie { $points } punkt.
    [few] Klubowicze dostają za to zamówienie { $points } punkty.
    [many] Klubowicze dostają za to zamówienie { $points } punktów.
   *[other] Klubowicze dostają za to zamówienie { $points } punktu.
  }
cart-missing = { $points ->
    [one] Do poziomu { $tier } brakuje { $points } punktu: dobierz za { $amount }.
    [few] Do poziomu { $tier } brakuje { $points } punktów: dobierz za { $amount }.
    [many] Do poziomu { $tier } brakuje { $points } punktów: dobierz za { $amount }.
   *[other] Do poziomu { $tier } brakuje { $points } punktu: dobierz za { $amount }.
  }
cart-closer = { $points ->
    [one] Do poziomu { $tier } brakuje { $points } punktu, a to zamówienie Cię przybliża.
    [few] Do poziomu { $tier } brakuje { $points } punktów, a to zamówienie Cię przybliża.
    [many] Do poziomu { $tier } brakuje { $points } punktów, a to zamówienie Cię przybliża.
   *[other] Do poziomu { $tier } brakuje { $points } punktu, a to zamówienie Cię przybliża.
  }
cart-reaches = Z tym zamówieniem osiągasz poziom { $tier }.
cart-top = { $points ->
    [one] Twój poziom to { $tier }. To zamówienie daje { $points } punkt.
    [few] Twój poziom to { $tier }. To zamówienie daje { $points } punkty.
    [many] Twój poziom to { $tier }. To zamówienie daje { $points } punktów.
   *[other] Twój poziom to { $tier }. To zamówienie daje { $points } punktu.
  }

# Osiągnięty poziom.
tier-subject = Witamy na poziomie { $tier }
tier-preheader = { $points ->
    [one] Masz już { $points } punkt.
    [few] Masz już { $points } punkty.
    [many] Masz już { $points } punktów.
   *[other] Masz już { $points } punktu.
  }
tier-title = Witamy na poziomie { $tier }
tier-intro = { $points ->
    [one] Masz już { $points } punkt, a to znaczy poziom { $tier }. Dziękujemy, że do nas wracasz.
    [few] Masz już { $points } punkty, a to znaczy poziom { $tier }. Dziękujemy, że do nas wracasz.
    [many] Masz już { $points } punktów, a to znaczy poziom { $tier }. Dziękujemy, że do nas wracasz.
   *[other] Masz już { $points } punktu, a to znaczy poziom { $tier }. Dziękujemy, że do nas wracasz.
  }
tier-next = { $missing ->
    [one] Do poziomu { $next } brakuje { $missing } punktu.
    [few] Do poziomu { $next } brakuje { $missing } punktów.
    [many] Do poziomu { $next } brakuje { $missing } punktów.
   *[other] Do poziomu { $next } brakuje { $missing } punktu.
  }
tier-button = Odwiedź sklep

# Rocznica pierwszego zakupu.
anniversary-subject = { $years ->
    [one] Rok razem
    [few] { $years } lata razem
    [many] { $years } lat razem
   *[other] { $years } roku razem
  }
anniversary-preheader = Pierwsze zakupy u nas: { $since }.
anniversary-title = { $years ->
    [one] Rok razem
    [few] { $years } lata razem
    [many] { $years } lat razem
   *[other] { $years } roku razem
  }
anniversary-intro = { $years ->
    [one] Rok temu ({ $since }) złożono u nas Twoje pierwsze zamówienie. Dziękujemy za zaufanie.
    [few] { $years } lata temu ({ $since }) złożono u nas Twoje pierwsze zamówienie. Dziękujemy za zaufanie.
    [many] { $years } lat temu ({ $since }) złożono u nas Twoje pierwsze zamówienie. Dziękujemy za zaufanie.
   *[other] { $years } roku temu ({ $since }) złożono u nas Twoje pierwsze zamówienie. Dziękujemy za zaufanie.
  }
anniversary-points = { $points ->
    [one] Masz u nas { $points } punkt.
    [few] Masz u nas { $points } punkty.
    [many] Masz u nas { $points } punktów.
   *[other] Masz u nas { $points } punktu.
  }
anniversary-button = Zobacz, co nowego
