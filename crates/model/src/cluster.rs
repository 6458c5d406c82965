use serde_json::Value;

/// The cluster that the policy asks: its RuntimeClasses, and how the host answers.
#[derive(Clone, Debug)]
pub struct Cluster {
    pub classes: Vec<Value>,
    pub access: Access,
}

#[derive(Clone, Debug)]
pub enum Access {
    Granted,
    /// Every call fails with this error, which says that access has not been granted.
    NotGranted(String),
    /// The call of this number (the first is 1) fails with this error, and the others are granted.
    Failing {
        call: usize,
        error: String,
    },
}

/// The outcome of asking for a class.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Asked {
    /// Nobody asked yet.
    Nothing,
    NotGranted,
    Missing,
    Found {
        handler: String,
        scheduling: Value,
    },
}

pub(crate) enum Error {
    NotGranted(String),
    Failed(String),
}

/// The cluster, and the classes that were asked for.
pub(crate) struct Lookups<'a> {
    cluster: &'a Cluster,
    pub(crate) calls: Vec<String>,
}

impl<'a> Lookups<'a> {
    pub(crate) fn new(cluster: &'a Cluster) -> Self {
        Self { cluster, calls: vec![] }
    }

    pub(crate) fn get(&mut self, name: &str) -> Result<Asked, Error> {
        self.calls.push(name.to_owned());
        match &self.cluster.access {
            Access::NotGranted(error) => return Err(Error::NotGranted(error.clone())),
            Access::Failing { call, error } if *call == self.calls.len() => return Err(Error::Failed(error.clone())),
            Access::Failing { .. } | Access::Granted => {}
        }
        Ok(match self.cluster.classes.iter().find(|class| class["metadata"]["name"] == name) {
            None => Asked::Missing,
            Some(class) => Asked::Found {
                handler: class["handler"].as_str().unwrap_or_default().to_owned(),
                scheduling: class["scheduling"].clone(),
            },
        })
    }
}

/// The class that a call of the host asks for.
///
/// # Panics
/// It is any other call than it has to be.
pub fn class_asked_for(capability: [&str; 3], payload: &[u8]) -> String {
    assert_eq!(capability, ["kubewarden", "kubernetes", "get_resource"]);
    let payload = str::from_utf8(payload).expect("a call in UTF-8");
    let call: Value = serde_json::from_str(payload).expect("a call in JSON");
    let name = call["name"].as_str().expect("the name of a class");
    let expected = format!(
        r#"{{"api_version":"node.k8s.io/v1","kind":"RuntimeClass","name":{},"namespace":null,"disable_cache":false,"field_masks":["handler","scheduling"]}}"#,
        call["name"]
    );
    assert_eq!(payload, expected);
    name.to_owned()
}

impl Cluster {
    /// The host's answer to the call of this number: the object in JSON, or an error as policy-server
    /// words it, with all that follows the part that people read.
    pub fn reply(&self, call: usize, name: &str) -> Result<Vec<u8>, String> {
        match &self.access {
            Access::NotGranted(error) => return Err(error.clone()),
            Access::Failing { call: failing, error } if *failing == call => {
                return Err(format!(
                    "Callback evaluation failure: {error} (Status {{ status: Some(Failure), code: 403 }}){BACKTRACE}"
                ));
            }
            Access::Failing { .. } | Access::Granted => {}
        }
        match self.classes.iter().find(|class| class["metadata"]["name"] == name) {
            Some(class) => Ok(class.to_string().into_bytes()),
            None => Err(format!(
                "Callback evaluation failure: Cannot find node.k8s.io/v1/RuntimeClass named '{name}' inside of \
                 namespace 'None'{BACKTRACE}"
            )),
        }
    }
}

/// Words in it must not be taken for the error itself.
const BACKTRACE: &str = "\n\nStack backtrace:\n   0: has not been granted access\n   1: Cannot find node.k8s.io";
