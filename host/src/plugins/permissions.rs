//! Permissions: read off a component's imports, checked against the merchant's grants; and which
//! import may be called in which hook. Pure.

use std::collections::BTreeSet;
use std::fmt;

use crate::domain::Hook;
use crate::domain::plain::harmless;

/// A permission is the name of an imported interface that is not free.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Permission(pub String);

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Characters of a file's own words that a sentence repeats.
const NAME: usize = 100;

/// Package of the contract.
pub const PACKAGE: &str = "cartwright:plugin";
/// Version of the contract that this host speaks.
pub const VERSION: (u64, u64, u64) = (0, 1, 0);

/// Everything a merchant can grant.
pub const GRANTS: [&str; 16] = [
    "catalog",
    "coupons",
    "customers",
    "delivery-options",
    "discounts",
    "http",
    "labels",
    "messages",
    "orders",
    "payments",
    "points",
    "refusal",
    "state",
    "state-write",
    "timers",
    "webhooks",
];

const FREE: [&str; 6] = ["blocks", "calendar", "context", "offers", "types", OPTIONAL_CUSTOMERS];
const OPTIONAL_CUSTOMERS: &str = "customers-if-granted";

/// What a component asks for, by the names of its exports and imports.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asks {
    pub hooks: BTreeSet<Hook>,
    /// It does not load without these.
    pub permissions: BTreeSet<Permission>,
    /// It uses these when granted.
    pub optional: BTreeSet<Permission>,
}

/// Why a plugin is not loaded. Each sentence says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error(
        "is not WebAssembly ({0}); point `source` at the `.wasm` file that `cartwright plugin build` wrote"
    )]
    NotWasm(String),
    #[error(
        "is a core WebAssembly module, not a component; build it with `cartwright plugin build`, which makes one"
    )]
    CoreModule,
    #[error("has more than {most} {what}, which no plugin needs; build it smaller")]
    TooMuch { what: &'static str, most: u64 },
    #[error(
        "imports `{0}`, which is WASI: a plugin has no files, clocks or network; build it for \
         wasm32-unknown-unknown with `cartwright plugin build`, or with `--stub-wasi` in JavaScript and Python"
    )]
    Wasi(String),
    #[error(
        "imports `{0}`, which this host does not offer; a plugin imports only interfaces of {PACKAGE}, \
         so take that import out of it"
    )]
    UnknownImport(String),
    #[error(
        "is built for version {theirs} of {PACKAGE}, this host speaks {ours}; build it with the SDK of {ours}, \
         or install a host that speaks {theirs}"
    )]
    Version { theirs: String, ours: String },
    #[error("handles no hook, so it would never be called; export at least one, e.g. `export!(P: delivery)`")]
    NoHook,
    #[error("needs {}, which the shop does not grant; if it may, write `grants = [{}]`", quoted(.missing), listed(.wanted))]
    NotGranted { missing: Vec<String>, wanted: Vec<String> },
    #[error("`grants` names `{name}`, which is no permission{}", suggestion(.close.as_deref()))]
    UnknownGrant { name: String, close: Option<String> },
}

impl Asks {
    /// From the names of a component's imports and exports, e.g. `cartwright:plugin/catalog@0.1.0`.
    /// Exports that are no hooks are nobody's business.
    pub fn read<'a>(
        imports: impl IntoIterator<Item = &'a str>,
        exports: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, Refusal> {
        let mut asks = Self::default();
        for import in imports {
            let Some(interface) = of_contract(import)? else {
                let shown = harmless(import, NAME);
                return Err(if import.starts_with("wasi") {
                    Refusal::Wasi(shown)
                } else {
                    Refusal::UnknownImport(shown)
                });
            };
            match interface {
                OPTIONAL_CUSTOMERS => {
                    asks.optional.insert(Permission("customers".to_owned()));
                }
                free if FREE.contains(&free) => {}
                granted if GRANTS.contains(&granted) => {
                    asks.permissions.insert(Permission(granted.to_owned()));
                }
                _ => return Err(Refusal::UnknownImport(harmless(import, NAME))),
            }
        }
        for export in exports {
            if let Some(hook) = of_contract(export)?.and_then(Hook::from_name) {
                asks.hooks.insert(hook);
            }
        }
        if asks.hooks.is_empty() {
            return Err(Refusal::NoHook);
        }
        Ok(asks)
    }

    /// Asked for *and* granted.
    pub fn check(&self, grants: &[String]) -> Result<(), Refusal> {
        match self.misfits(grants).next() {
            Some(first) => Err(first),
            None => Ok(()),
        }
    }

    /// Everything that keeps it from being loaded with these grants.
    pub fn misfits(&self, grants: &[String]) -> impl Iterator<Item = Refusal> {
        let unknown = grants
            .iter()
            .filter(|name| !GRANTS.contains(&name.as_str()))
            .map(|name| Refusal::UnknownGrant { name: name.clone(), close: closest(name) });
        unknown.chain(self.not_granted(grants))
    }

    fn not_granted(&self, grants: &[String]) -> Option<Refusal> {
        let missing: Vec<String> = self
            .permissions
            .iter()
            .filter(|permission| !grants.contains(&permission.0))
            .map(|permission| permission.0.clone())
            .collect();
        if missing.is_empty() {
            return None;
        }
        let known = grants.iter().filter(|name| GRANTS.contains(&name.as_str()));
        let wanted: BTreeSet<String> = known.chain(&missing).cloned().collect();
        Some(Refusal::NotGranted { missing, wanted: wanted.into_iter().collect() })
    }
}

/// Name of the export that holds a hook.
#[must_use]
pub fn export_name(hook: Hook) -> String {
    format!("{PACKAGE}/{}@{}", hook.name(), version_text())
}

/// Whether a function of an interface may be called in a hook; those that only read may everywhere.
#[must_use]
pub fn allowed(interface: &str, function: &str, hook: Hook) -> bool {
    match (interface, function) {
        ("discounts", _) => hook == Hook::Pricing,
        ("delivery-options", "add") => hook == Hook::Delivery,
        ("delivery-options" | "payments" | "refusal", _) => hook == Hook::Review,
        ("blocks", _) => hook == Hook::Content,
        ("messages" | "coupons" | "points" | "timers" | "labels" | "webhooks" | "state-write", _) => {
            !hook.is_stage()
        }
        _ => true,
    }
}

/// The sentence for an import that is called where it may not be.
#[must_use]
pub fn misplaced(interface: &str, function: &str, hook: Hook) -> String {
    let places: Vec<&str> =
        Hook::ALL.into_iter().filter(|other| allowed(interface, function, *other)).map(Hook::name).collect();
    let only = match places.as_slice() {
        [one] => format!("only in `{one}`"),
        _ => "only in events and timers".to_owned(),
    };
    format!("called `{interface}.{function}` in `{}`; it may be called {only}", hook.name())
}

/// The interface's name, when it is one of the contract in a version that this host speaks.
fn of_contract(name: &str) -> Result<Option<&str>, Refusal> {
    let Some(rest) = name.strip_prefix(PACKAGE).and_then(|rest| rest.strip_prefix('/')) else {
        return Ok(None);
    };
    let (interface, version) = rest.split_once('@').unwrap_or((rest, ""));
    let mut numbers = version.split('.').map(str::parse::<u64>);
    let fits = matches!(
        (numbers.next(), numbers.next(), numbers.next(), numbers.next()),
        (Some(Ok(major)), Some(Ok(minor)), Some(Ok(patch)), None)
            if (major, minor) == (VERSION.0, VERSION.1) && patch <= VERSION.2
    );
    if fits {
        Ok(Some(interface))
    } else {
        let theirs = if version.is_empty() { "none" } else { version };
        Err(Refusal::Version { theirs: harmless(theirs, NAME), ours: version_text() })
    }
}

fn version_text() -> String {
    format!("{}.{}.{}", VERSION.0, VERSION.1, VERSION.2)
}

fn closest(name: &str) -> Option<String> {
    GRANTS
        .into_iter()
        .map(|grant| (strsim::damerau_levenshtein(grant, name), grant))
        .min()
        .filter(|(distance, _)| *distance <= 3)
        .map(|(_, grant)| grant.to_owned())
}

fn suggestion(close: Option<&str>) -> String {
    close.map_or_else(
        || format!("; there are {}", GRANTS.join(", ")),
        |close| format!("; is `{close}` meant?"),
    )
}

fn quoted(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn listed(names: &[String]) -> String {
    names.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(imports: &[&str], exports: &[&str]) -> Result<Asks, Refusal> {
        Asks::read(imports.iter().copied(), exports.iter().copied())
    }

    const PRICING: &[&str] = &["cartwright:plugin/pricing@0.1.0"];

    #[test]
    fn imports_are_permissions_and_exports_are_hooks() {
        let asks = read(
            &[
                "cartwright:plugin/types@0.1.0",
                "cartwright:plugin/context@0.1.0",
                "cartwright:plugin/discounts@0.1.0",
                "cartwright:plugin/customers-if-granted@0.1.0",
            ],
            &["cartwright:plugin/pricing@0.1.0", "cartwright:plugin/timer@0.1.0", "init"],
        )
        .unwrap();
        assert_eq!(asks.hooks, BTreeSet::from([Hook::Pricing, Hook::Timer]));
        assert_eq!(asks.permissions, BTreeSet::from([Permission("discounts".to_owned())]));
        assert_eq!(asks.optional, BTreeSet::from([Permission("customers".to_owned())]));
    }

    #[test]
    fn what_cannot_be_loaded_is_refused_with_what_to_do() {
        let cases: [(&[&str], &[&str], &str); 5] = [
            (&["wasi:cli/environment@0.2.3"], PRICING, "--stub-wasi"),
            (&["wasi_snapshot_preview1"], PRICING, "which is WASI"),
            (
                &["acme:thing/files@1.0.0"],
                PRICING,
                "`acme:thing/files@1.0.0`, which this host does not offer",
            ),
            (&["cartwright:plugin/teleport@0.1.0"], PRICING, "`cartwright:plugin/teleport@0.1.0`"),
            (&[], &["run"], "handles no hook"),
        ];
        for (imports, exports, sentence) in cases {
            let refusal = read(imports, exports).unwrap_err().to_string();
            assert!(refusal.contains(sentence), "{refusal}");
        }
    }

    #[test]
    fn another_version_of_the_contract_is_refused() {
        for name in ["pricing@0.2.0", "pricing@0.1.1", "pricing@1.0.0", "pricing", "pricing@0.1.0-rc"] {
            let name = format!("{PACKAGE}/{name}");
            let refusal = read(&[], &[&name]).unwrap_err();
            assert!(matches!(refusal, Refusal::Version { .. }), "{name}: {refusal}");
            assert!(refusal.to_string().contains("this host speaks 0.1.0"));
        }
    }

    #[test]
    fn a_permission_needs_the_grant_of_its_name() {
        let asks = read(
            &["cartwright:plugin/discounts@0.1.0", "cartwright:plugin/state@0.1.0"],
            &["cartwright:plugin/pricing@0.1.0"],
        )
        .unwrap();
        assert_eq!(asks.check(&["discounts".to_owned(), "state".to_owned()]), Ok(()));
        assert_eq!(
            asks.check(&["state".to_owned()]).unwrap_err().to_string(),
            "needs `discounts`, which the shop does not grant; if it may, write `grants = [\"discounts\", \"state\"]`"
        );
        assert_eq!(
            asks.check(&["discount".to_owned()]).unwrap_err().to_string(),
            "`grants` names `discount`, which is no permission; is `discounts` meant?"
        );
    }

    #[test]
    fn what_is_free_and_what_is_optional_needs_no_grant() {
        let asks = read(
            &[
                "cartwright:plugin/blocks@0.1.0",
                "cartwright:plugin/calendar@0.1.0",
                "cartwright:plugin/offers@0.1.0",
                "cartwright:plugin/customers-if-granted@0.1.0",
            ],
            &["cartwright:plugin/content@0.1.0"],
        )
        .unwrap();
        assert_eq!(asks.check(&[]), Ok(()));
    }

    #[test]
    fn each_import_has_its_hooks() {
        use Hook::*;
        let table: [(&str, &str, &[Hook]); 10] = [
            ("discounts", "add", &[Pricing]),
            ("delivery-options", "add", &[Delivery]),
            ("delivery-options", "adjust", &[Review]),
            ("delivery-options", "hide", &[Review]),
            ("payments", "rename", &[Review]),
            ("refusal", "reject", &[Review]),
            ("blocks", "notice", &[Content]),
            (
                "messages",
                "send",
                &[
                    OrderPlaced,
                    OrderShipped,
                    DeliveryUpdated,
                    OrderDelivered,
                    OrderCancelled,
                    OrderReturned,
                    CustomerCreated,
                    CartAbandoned,
                    FeedbackReceived,
                    Timer,
                ],
            ),
            ("state", "get", &Hook::ALL),
            ("http", "get", &Hook::ALL),
        ];
        for (interface, function, hooks) in table {
            for hook in Hook::ALL {
                assert_eq!(
                    allowed(interface, function, hook),
                    hooks.contains(&hook),
                    "{interface}.{function} in {}",
                    hook.name()
                );
            }
        }
        assert_eq!(
            misplaced("coupons", "issue", Pricing),
            "called `coupons.issue` in `pricing`; it may be called only in events and timers"
        );
        assert_eq!(
            misplaced("discounts", "add", Timer),
            "called `discounts.add` in `timer`; it may be called only in `pricing`"
        );
    }
}
