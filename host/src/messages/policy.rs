//! Who may be told what. Pure.
