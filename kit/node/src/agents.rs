use serde_json::{Map, Value};
pub(crate) fn check(_template: &Map<String, Value>) -> Result<(), String> {
    Ok(())
}
