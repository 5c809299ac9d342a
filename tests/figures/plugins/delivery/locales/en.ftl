economy = Economy
standard = Standard
express = Express
