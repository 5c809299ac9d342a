//! `#[setting(…)]` and doc comments.

use syn::spanned::Spanned;
use syn::{Attribute, Error, Expr, ExprLit, Lit, LitStr, Meta};

use crate::json;

/// What `#[setting(…)]` says. Values are JSON text.
#[derive(Default)]
pub struct Attributes {
    pub default: Option<String>,
    pub rename: Option<String>,
    min: Option<String>,
    max: Option<String>,
    pattern: Option<String>,
}

impl Attributes {
    pub fn read(attributes: &[Attribute]) -> syn::Result<Self> {
        let mut out = Self::default();
        for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("setting")) {
            attribute.parse_nested_meta(|meta| {
                let slot = if meta.path.is_ident("default") {
                    &mut out.default
                } else if meta.path.is_ident("min") {
                    &mut out.min
                } else if meta.path.is_ident("max") {
                    &mut out.max
                } else if meta.path.is_ident("pattern") {
                    out.pattern = Some(json::string(&meta.value()?.parse::<LitStr>()?.value()));
                    return Ok(());
                } else if meta.path.is_ident("rename") {
                    out.rename = Some(meta.value()?.parse::<LitStr>()?.value());
                    return Ok(());
                } else if meta.path.is_ident("default_json") {
                    out.default = Some(meta.value()?.parse::<LitStr>()?.value());
                    return Ok(());
                } else {
                    return Err(meta
                        .error("there is `default`, `default_json`, `min`, `max`, `pattern` and `rename`"));
                };
                *slot = Some(json::literal(&meta.value()?.parse::<Expr>()?)?);
                Ok(())
            })?;
        }
        Ok(out)
    }

    /// Members of a schema object, each after a comma.
    pub fn constraints(&self) -> String {
        let members = [
            ("default", &self.default),
            ("minimum", &self.min),
            ("maximum", &self.max),
            ("pattern", &self.pattern),
        ];
        let written = members.iter().filter_map(|(name, value)| Some((name, value.as_ref()?)));
        written.map(|(name, value)| format!(",\"{name}\":{value}")).collect()
    }

    /// A variant takes no other attribute.
    pub fn only_rename(&self, at: &impl Spanned) -> syn::Result<()> {
        if self.constraints().is_empty() {
            Ok(())
        } else {
            Err(Error::new(at.span(), "on a variant there is only `rename`"))
        }
    }
}

/// The doc comment, its lines joined to paragraphs.
pub fn description(attributes: &[Attribute]) -> Option<String> {
    let mut out = String::new();
    for attribute in attributes {
        let Meta::NameValue(pair) = &attribute.meta else { continue };
        let Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) = &pair.value else { continue };
        if !pair.path.is_ident("doc") {
            continue;
        }
        let text = text.value();
        let text = text.trim();
        if text.is_empty() {
            if !out.is_empty() {
                out.push('\n');
            }
        } else {
            if !out.is_empty() && !out.ends_with('\n') {
                out.push(' ');
            }
            out.push_str(text);
        }
    }
    let out = out.trim_end();
    if out.is_empty() { None } else { Some(out.to_owned()) }
}
