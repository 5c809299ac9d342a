//! What a file becomes when it is compiled, counted before it is: a small file may unfold into very much, and the
//! compiler can be neither stopped nor held to a memory. The bounds are far beyond what interpreters with their
//! libraries come to. Pure.

use wasmparser::{
    ComponentAlias, ComponentExternalKind, ComponentInstance, ComponentOuterAliasKind, ComponentTypeRef,
    Encoding, Instance, Payload,
};

use crate::plugins::permissions::Refusal;

/// Of components and modules together.
const SECTIONS: u64 = 20_000;
const FUNCTIONS: u64 = 100_000;
const TYPES: u64 = 100_000;
/// Of the component itself.
const IMPORTS: u64 = 1_000;
/// Instances that one instance of it is made of, when all components in it are unfolded.
const INSTANCES: u64 = 1_000;
/// Components within components.
const DEPTH: usize = 100;
/// The compiler takes a function as a whole.
const FUNCTION_BYTES: usize = 1 << 20;

/// Counts along the payloads of a file.
#[derive(Debug, Default)]
pub(super) struct Extent {
    sections: u64,
    functions: u64,
    types: u64,
    imports: u64,
    scopes: Vec<Scope>,
    /// Instances of the largest component so far.
    largest: u64,
}

/// A module or a component that is being read.
#[derive(Debug, Default)]
struct Scope {
    is_component: bool,
    /// What each component comes to that can be named here, in instances.
    components: Vec<u64>,
    instances: u64,
}

impl Extent {
    pub(super) fn see(&mut self, payload: &Payload<'_>) -> Result<(), Refusal> {
        match payload {
            Payload::CodeSectionEntry(body) => {
                return within("bytes in one function", body.range().len() as u64, FUNCTION_BYTES as u64);
            }
            Payload::Version { encoding, .. } => {
                let is_component = *encoding == Encoding::Component;
                self.scopes.push(Scope { is_component, ..Scope::default() });
                within("components within components", self.scopes.len() as u64, DEPTH as u64)?;
            }
            Payload::End(_) => self.leave(),
            Payload::FunctionSection(section) => self.functions += u64::from(section.count()),
            Payload::TypeSection(section) => self.types += u64::from(section.count()),
            Payload::CoreTypeSection(section) => self.types += u64::from(section.count()),
            Payload::ComponentTypeSection(section) => self.types += u64::from(section.count()),
            _ => self.unfold(payload).map_err(|error| Refusal::NotWasm(error.message().to_owned()))?,
        }
        self.sections += 1;
        within("sections", self.sections, SECTIONS)?;
        within("functions", self.functions, FUNCTIONS)?;
        within("types", self.types, TYPES)?;
        within("imports", self.imports, IMPORTS)?;
        within("instances in it", self.scopes.last().map_or(0, |scope| scope.instances), INSTANCES)
    }

    fn leave(&mut self) {
        let Some(ended) = self.scopes.pop() else { return };
        if let (true, Some(outer)) = (ended.is_component, self.scopes.last_mut()) {
            self.largest = self.largest.max(ended.instances);
            outer.components.push(ended.instances);
        }
    }

    fn unfold(&mut self, payload: &Payload<'_>) -> wasmparser::Result<()> {
        let outermost = self.scopes.len() == 1;
        let largest = self.largest;
        match payload {
            Payload::ComponentImportSection(section) => {
                if outermost {
                    self.imports += u64::from(section.count());
                    return Ok(());
                }
                for import in section.clone() {
                    // Any component may be handed in.
                    if matches!(import?.ty, ComponentTypeRef::Component(_)) {
                        self.knows(u64::MAX);
                    }
                }
            }
            Payload::ComponentAliasSection(section) => {
                for alias in section.clone() {
                    match alias? {
                        ComponentAlias::Outer { kind: ComponentOuterAliasKind::Component, count, index } => {
                            self.knows(self.component(count as usize, index));
                        }
                        ComponentAlias::InstanceExport { kind: ComponentExternalKind::Component, .. } => {
                            self.knows(largest);
                        }
                        _ => {}
                    }
                }
            }
            Payload::ComponentExportSection(section) => {
                for export in section.clone() {
                    let export = export?;
                    if export.kind == ComponentExternalKind::Component {
                        self.knows(self.component(0, export.index));
                    }
                }
            }
            Payload::ComponentInstanceSection(section) => {
                for instance in section.clone() {
                    if let ComponentInstance::Instantiate { component_index, .. } = instance? {
                        self.instantiates(self.component(0, component_index));
                    }
                }
            }
            Payload::InstanceSection(section) => {
                for instance in section.clone() {
                    if let Instance::Instantiate { .. } = instance? {
                        self.instantiates(0);
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// What the component comes to that is named here; the file says nothing of one that is not there.
    fn component(&self, outward: usize, index: u32) -> u64 {
        let scope = self.scopes.iter().rev().nth(outward);
        scope.and_then(|scope| scope.components.get(index as usize)).copied().unwrap_or(u64::MAX)
    }

    fn knows(&mut self, instances: u64) {
        if let Some(scope) = self.scopes.last_mut() {
            scope.components.push(instances);
        }
    }

    fn instantiates(&mut self, instances: u64) {
        if let Some(scope) = self.scopes.last_mut() {
            scope.instances = scope.instances.saturating_add(instances).saturating_add(1);
        }
    }
}

fn within(what: &'static str, count: u64, most: u64) -> Result<(), Refusal> {
    if count > most { Err(Refusal::TooMuch { what, most }) } else { Ok(()) }
}
