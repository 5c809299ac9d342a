# Kampania nazywa się tak, jak jej tytuł w ustawieniach. Nazwę w każdym języku daje
# `campaign-<kod małymi literami> = …`; `{ $code }` to kod.

# Dlaczego kod jeszcze nie działa.
code-not-started = Kod { $code } jeszcze nie działa. Pierwszy dzień: { $date }.
code-ended = Kod { $code } już nie działa. Ostatni dzień: { $date }.
code-minimum = Do kodu { $code } brakuje w koszyku { $missing }.
code-products = Kod { $code } dotyczy innych produktów niż te w koszyku.
code-segment = Kod { $code } jest dla innej grupy klientów.
code-first-order = Kod { $code } jest na pierwsze zamówienie.
code-used = Kod { $code } został już wykorzystany.
code-sign-in = Zaloguj się, aby użyć kodu { $code }.
code-currency = Kod { $code } nie działa w tej walucie.

# „Dorzuć coś, zanim wyślemy”.
# `{ $value }` to wartość kuponu: „10% rabatu”.
today-subject = { $value }, jeśli zamówisz do północy
today-preheader = Zamówienie { $number } jeszcze nie wyszło. Czegoś brakuje?
today-title = Czegoś brakuje?
today-intro = Zamówienie { $number } jeszcze nie wyszło. Z tym kodem masz { $value } na wszystko, co dziś dobierzesz.
today-terms = Tylko dla Ciebie, na jedno zamówienie.
today-button = Przejdź do sklepu

# Darmowa dostawa przy następnym zamówieniu.
next-subject = Następna dostawa na nasz koszt
next-preheader = Dziękujemy za zamówienie { $number }. Oto kod na następne.
next-title = Następna dostawa na nasz koszt
next-intro = Zamówienie { $number } dotarło. Dziękujemy! Następne dostarczymy za darmo.
next-terms = Tylko dla Ciebie, na jedno zamówienie.
next-button = Przejdź do sklepu
