#![cfg(unix)]

use std::fs;

use super::{
    access::{Owned, Session, refused},
    *,
};

const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\npi:x:1000:1000:,,,:/home/pi:/bin/bash\n";
const GROUP: &str = "root:x:0:\npi:x:1000:\ngpio:x:997:\ni2c:x:998:ada,pi\n";

/// What a session of the user pi is told of a device of root's that it may not use.
fn pi_is_told(group: u32, mode: u32, groups: &[u32]) -> Access {
    let session = Session { user: 1_000, groups: groups.to_vec() };
    refused(&Owned { owner: 0, group, mode }, &session, PASSWD, GROUP)
}

#[test]
fn who_is_refused_is_told_which_group_to_join_or_why_none_helps() {
    let join = Access::Group { group: "gpio".to_owned(), user: "pi".to_owned() };
    let owner = Access::Owner { owner: "root".to_owned() };

    assert_eq!(pi_is_told(997, 0o660, &[1_000]), join);
    assert_eq!(pi_is_told(998, 0o660, &[1_000]), Access::Later { group: "i2c".to_owned() });
    assert_eq!(pi_is_told(997, 0o600, &[1_000]), owner, "the group may not use it");
    assert_eq!(pi_is_told(997, 0o640, &[1_000]), owner, "the group may only read");
    assert_eq!(pi_is_told(0, 0o660, &[1_000]), owner, "nobody joins root's group for it");
    assert_eq!(pi_is_told(997, 0o660, &[1_000, 997]), owner, "the group did not help");
}

#[test]
fn a_number_without_a_name_stays_a_number() {
    let session = Session { user: 1_234, groups: vec![] };

    let told = refused(&Owned { owner: 0, group: 55, mode: 0o660 }, &session, "", "");

    assert_eq!(told, Access::Group { group: "55".to_owned(), user: "1234".to_owned() });
}

#[test]
fn a_machine_in_a_folder_is_surveyed_by_its_files() {
    let root = tempfile::tempdir().unwrap();
    let file = |path: &str, text: &str| {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    for name in ["i2c-10", "i2c-1", "ttyUSB0", "ttyS0", "null", "gpiomem"] {
        file(&format!("dev/{name}"), "");
    }
    file("sys/bus/gpio/devices/gpiochip3/uevent", "");
    file("proc/device-tree/model", "Raspberry Pi 3 Model B Rev 1.2\0");

    let survey = Survey::of(root.path());

    let paths = |devices: &[Device]| devices.iter().map(|device| device.path.clone()).collect::<Vec<_>>();
    assert_eq!(paths(&survey.i2c), ["/dev/i2c-1", "/dev/i2c-10"]);
    assert_eq!(paths(&survey.serial), ["/dev/ttyUSB0"]);
    assert_eq!(paths(&survey.registers), ["/dev/gpiomem"]);
    assert_eq!(survey.hidden, ["gpiochip3"]);
    assert_eq!(survey.model.as_deref(), Some("Raspberry Pi 3 Model B Rev 1.2"));
    assert_eq!(survey.keeps_outputs, None);
}

#[cfg(target_os = "linux")]
#[test]
fn a_file_that_is_no_chip_says_so_and_a_kernel_that_keeps_outputs_is_seen() {
    let root = tempfile::tempdir().unwrap();
    let parameters = root.path().join("sys/module/pinctrl_rp1/parameters");
    fs::create_dir_all(&parameters).unwrap();
    fs::write(parameters.join("persist_gpio_outputs"), "Y\n").unwrap();
    fs::create_dir(root.path().join("dev")).unwrap();
    fs::write(root.path().join("dev/gpiochip0"), "").unwrap();

    let survey = Survey::of(root.path());

    assert_eq!(survey.keeps_outputs, Some(parameters.join("persist_gpio_outputs")));
    assert_eq!(survey.chips.len(), 1);
    assert!(survey.chips[0].trouble.is_some(), "{:?}", survey.chips);
}

#[cfg(target_os = "linux")]
#[test]
fn a_link_to_a_chip_is_another_name_of_it() {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir(root.path().join("dev")).unwrap();
    fs::write(root.path().join("dev/gpiochip0"), "").unwrap();
    std::os::unix::fs::symlink("gpiochip0", root.path().join("dev/gpiochip4")).unwrap();

    let survey = Survey::of(root.path());

    let called = |name| survey.chosen(Some(name)).count();
    assert_eq!(survey.chips.len(), 1);
    assert_eq!([called("/dev/gpiochip0"), called("/dev/gpiochip4"), called("/dev/gpiochip5")], [1, 1, 0]);
}
