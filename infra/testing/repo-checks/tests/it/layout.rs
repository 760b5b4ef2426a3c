//! A folder, a package, a binary, a resource and a folder of samples share one name.

use serde_json::Value;

use crate::{functions, parsed, read, resources, root};

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
    let runbook = readme.split("\n## Runbook\n").nth(1).unwrap();
    let (rows, questions) = runbook.split_once("\n### What people ask first\n").unwrap();
    let explained: Vec<&str> = rows
        .lines()
        .filter(|line| line.starts_with("| `"))
        .flat_map(|line| line.split('|').nth(1).unwrap().split('`').skip(1).step_by(2))
        .collect();
    // Another test holds these to the sources.
    let document = parsed("functions/openapi.yaml");
    let codes = document["components"]["schemas"]["CheckCode"]["oneOf"].as_array().unwrap();
    let codes: Vec<&str> = codes.iter().map(|code| code["const"].as_str().unwrap()).collect();
    assert!(codes.len() > 25, "{codes:?}");
    let missing: Vec<_> = codes.iter().filter(|code| !explained.contains(code)).collect();
    assert!(missing.is_empty(), "functions/status/README.md has no row for the checks {missing:?}");
    let gone: Vec<_> = explained.iter().filter(|code| !codes.contains(code)).collect();
    assert!(gone.is_empty(), "functions/status/README.md explains checks that there are not: {gone:?}");
    assert_eq!(explained.len(), codes.len(), "functions/status/README.md explains a check twice");
    let unasked: Vec<_> = codes.iter().filter(|code| !questions.contains(&format!("`{code}`"))).collect();
    assert!(unasked.is_empty(), "no question of functions/status/README.md leads to {unasked:?}");
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
