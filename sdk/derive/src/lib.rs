//! `#[derive(Settings)]` of cartwright-sdk: a schema for the host and a reader for the guest.

mod attributes;
mod json;

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DataEnum, DataStruct, DeriveInput, Error, Fields, Type, parse_macro_input};

use crate::attributes::{Attributes, description};

/// Describes a struct or a plain enum as a setting. See `cartwright_sdk::settings`.
///
/// On a field: `#[setting(default = 3)]` (a number, text, truth, `[…]` of them, or `{}`),
/// `default_json = "…"` for any other, `min`, `max`, `pattern`, `rename`. On a variant: `rename`;
/// else its name in kebab-case. Doc comments become descriptions.
#[proc_macro_derive(Settings, attributes(setting))]
pub fn derive_settings(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    expand(&input).unwrap_or_else(Error::into_compile_error).into()
}

fn expand(input: &DeriveInput) -> syn::Result<TokenStream> {
    if !input.generics.params.is_empty() {
        return Err(Error::new_spanned(&input.generics, "settings have no generic parameters"));
    }
    match &input.data {
        Data::Struct(data) => expand_struct(input, data),
        Data::Enum(data) => expand_enum(input, data),
        Data::Union(_) => Err(Error::new_spanned(&input.ident, "settings are a struct or an enum")),
    }
}

fn expand_struct(input: &DeriveInput, data: &DataStruct) -> syn::Result<TokenStream> {
    let Fields::Named(fields) = &data.fields else {
        return Err(Error::new_spanned(&input.ident, "settings have named fields"));
    };
    let mut required = Vec::new();
    let mut parts = Vec::new();
    let mut readers = Vec::new();
    // Text between the schemas of the fields.
    let mut text = String::new();
    for field in &fields.named {
        let Some(ident) = &field.ident else { continue };
        let attributes = Attributes::read(&field.attrs)?;
        let name = attributes
            .rename
            .clone()
            .unwrap_or_else(|| ident.to_string().trim_start_matches("r#").to_owned());
        let kind = &field.ty;
        if attributes.default.is_none() && !is_option(kind) {
            required.push(json::string(&name));
        }
        if !parts.is_empty() {
            text.push(',');
        }
        text.push_str(&json::string(&name));
        text.push_str(":{");
        parts.push((std::mem::take(&mut text), kind));
        if let Some(description) = description(&field.attrs) {
            text.push_str(",\"description\":");
            text.push_str(&json::string(&description));
        }
        text.push_str(&attributes.constraints());
        text.push('}');

        let default = match &attributes.default {
            Some(default) => quote!(::core::option::Option::Some(#default)),
            None => quote!(::core::option::Option::None),
        };
        readers.push(quote!(#ident: ::cartwright_sdk::settings::field(json, #name, #default)?));
    }
    text.push('}');

    let mut head = String::from("\"type\":\"object\",\"additionalProperties\":false");
    if let Some(description) = description(&input.attrs) {
        head.push_str(",\"description\":");
        head.push_str(&json::string(&description));
    }
    if !required.is_empty() {
        head.push_str(",\"required\":[");
        head.push_str(&required.join(","));
        head.push(']');
    }
    head.push_str(",\"properties\":{");

    let name = &input.ident;
    let middle = parts.iter().map(|(before, kind)| {
        quote! {
            ::cartwright_sdk::settings::Part::Text(#before),
            ::cartwright_sdk::settings::Part::Members(
                &<#kind as ::cartwright_sdk::settings::Setting>::SCHEMA
            ),
        }
    });
    Ok(quote! {
        impl ::cartwright_sdk::settings::Setting for #name {
            const SCHEMA: ::cartwright_sdk::settings::Schema = ::cartwright_sdk::settings::Schema(&[
                ::cartwright_sdk::settings::Part::Text(#head),
                #(#middle)*
                ::cartwright_sdk::settings::Part::Text(#text),
            ]);

            fn read(
                json: &::cartwright_sdk::json::Json,
            ) -> ::core::result::Result<Self, ::cartwright_sdk::settings::Error> {
                ::cartwright_sdk::settings::table(json)?;
                ::core::result::Result::Ok(Self { #(#readers),* })
            }
        }
    })
}

fn expand_enum(input: &DeriveInput, data: &DataEnum) -> syn::Result<TokenStream> {
    let mut names = Vec::new();
    let mut variants = Vec::new();
    for variant in &data.variants {
        if !matches!(variant.fields, Fields::Unit) {
            return Err(Error::new_spanned(variant, "a setting's variant holds nothing"));
        }
        let attributes = Attributes::read(&variant.attrs)?;
        attributes.only_rename(variant)?;
        names.push(attributes.rename.unwrap_or_else(|| kebab(&variant.ident.to_string())));
        variants.push(&variant.ident);
    }
    let listed: Vec<String> = names.iter().map(|name| json::string(name)).collect();
    let mut schema = format!("\"type\":\"string\",\"enum\":[{}]", listed.join(","));
    if let Some(description) = description(&input.attrs) {
        schema.push_str(",\"description\":");
        schema.push_str(&json::string(&description));
    }
    let expected = format!("expected one of {}", names.join(", "));
    let name = &input.ident;
    Ok(quote! {
        impl ::cartwright_sdk::settings::Setting for #name {
            const SCHEMA: ::cartwright_sdk::settings::Schema =
                ::cartwright_sdk::settings::Schema(&[::cartwright_sdk::settings::Part::Text(#schema)]);

            fn read(
                json: &::cartwright_sdk::json::Json,
            ) -> ::core::result::Result<Self, ::cartwright_sdk::settings::Error> {
                match json.as_str() {
                    #(::core::option::Option::Some(#names) => ::core::result::Result::Ok(Self::#variants),)*
                    _ => ::core::result::Result::Err(::cartwright_sdk::settings::Error::new(#expected)),
                }
            }
        }
    })
}

fn is_option(kind: &Type) -> bool {
    matches!(kind, Type::Path(path) if path.path.segments.last().is_some_and(|last| last.ident == "Option"))
}

/// `NextDay` → `next-day`.
fn kebab(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        if c.is_uppercase() && !out.is_empty() {
            out.push('-');
        }
        out.extend(c.to_lowercase());
    }
    out
}
