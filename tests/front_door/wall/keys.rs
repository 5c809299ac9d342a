//! What a stolen publishable key opens: decision hooks, and no customer.

use super::*;
