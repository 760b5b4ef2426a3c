//! A folder, a package, a binary, a resource and a folder of samples share one name.

use serde_json::Value;

use crate::{functions, read, resources, root};

#[test]
fn each_function_is_a_package_a_resource_a_folder_of_samples_and_a_line_in_the_readme() {
    let readme = read("README.md");
    let built: Vec<String> = resources()
        .iter()
        .filter_map(|(_, resource)| {
            resource["Metadata"]["BuildProperties"]["Binary"].as_str().map(str::to_owned)
        })
        .collect();
    for name in functions() {
        assert!(
            root().join(format!("functions/{name}/README.md")).exists(),
            "functions/{name} has no README"
        );
        assert!(read(&format!("functions/{name}/Cargo.toml")).contains(&format!("name = \"{name}\"")));
        assert!(root().join(format!("functions/{name}/src/main.rs")).exists());
        assert!(built.contains(&name), "template.yaml builds no {name}");
        assert!(
            readme.contains(&format!("`functions/{name}`")),
            "the README's map has no line for functions/{name}"
        );
        let samples = std::fs::read_dir(root().join(format!("events/{name}"))).unwrap();
        assert!(samples.count() > 0, "events/{name} is empty");
    }
    assert_eq!(built.len(), functions().len());
}

#[test]
fn each_sample_is_json() {
    for folder in functions().iter().map(String::as_str).chain(["stripe"]) {
        for file in std::fs::read_dir(root().join("events").join(folder)).unwrap() {
            let path = file.unwrap().path();
            let text = std::fs::read_to_string(&path).unwrap();
            serde_json::from_str::<Value>(&text)
                .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        }
    }
}

#[test]
fn each_parameter_of_the_template_is_explained() {
    let readme = read("infra/README.md");
    let template = crate::template();
    for name in template["Parameters"].as_object().unwrap().keys() {
        assert!(readme.contains(&format!("`{name}`")), "infra/README.md does not explain {name}");
    }
}

#[test]
fn each_check_of_the_status_is_in_its_runbook() {
    let readme = read("functions/status/README.md");
    // The list that the status function's own test holds complete.
    let tests = read("functions/status/src/checks/tests.rs");
    let list = tests.split("fn when_all_is_well_it_is_active_and_every_check_is_listed").nth(1).unwrap();
    let list = list.split("        [\n").nth(1).unwrap().split("        ]").next().unwrap();
    let codes: Vec<_> = list.lines().map(|line| line.trim().trim_matches(['"', ','])).collect();
    assert!(codes.len() > 15, "{codes:?}");
    for code in codes {
        let row = |line: &str| {
            line.starts_with('|')
                && line.split('|').nth(1).is_some_and(|cell| cell.contains(&format!("`{code}`")))
        };
        assert!(readme.lines().any(row), "functions/status/README.md does not explain the check {code}");
    }
}

#[test]
fn a_function_gets_the_variables_it_reads_and_no_others() {
    let shared = ["MODE", "STACK_NAME"];
    for (_, resource) in resources() {
        let Some(name) = resource["Metadata"]["BuildProperties"]["Binary"].as_str() else { continue };
        let config = read(&format!("functions/{name}/src/config.rs"));
        let access = ["API_ID", "GROUPS_CLAIM", "ADMIN_GROUP", "VIEWER_GROUP"];
        let read_by_it = |variable: &str| {
            config.contains(&format!("\"{variable}\""))
                || access.contains(&variable) && config.contains("Access::from_env")
        };
        let given = resource["Properties"]["Environment"]["Variables"].as_object().unwrap();
        for variable in given.keys() {
            assert!(read_by_it(variable), "{name} is given {variable} and does not read it");
        }
        for line in
            config.lines().filter(|line| line.contains("env::text(\"") || line.contains("env::value(\""))
        {
            let variable = line.split('"').nth(1).unwrap();
            assert!(
                given.contains_key(variable) || shared.contains(&variable),
                "{name} reads {variable} and is not given it"
            );
        }
    }
}
