use std::{
    fs,
    path::{Path, PathBuf},
};

/// Drivers of the header of a Raspberry Pi that may keep an output driven, and their switch for it.
const SWITCHES: &[&str] =
    &["pinctrl_bcm2835/parameters/persist_gpio_outputs", "pinctrl_rp1/parameters/persist_gpio_outputs"];

/// The switch of this kernel that keeps outputs as they are when their owner is gone, also by SIGKILL; none
/// on a kernel that turns them back into inputs.
///
/// The kernels of Raspberry Pi OS keep them unless `/boot/firmware/config.txt` has `dtparam=strict_gpiod`.
/// Those from before the switch do one or the other and cannot be asked.
pub fn outputs_outlive_their_owner() -> Option<PathBuf> {
    switch_under(Path::new("/sys/module"))
}

/// The same for the modules of another machine.
pub(crate) fn switch_under(modules: &Path) -> Option<PathBuf> {
    let is_on = |switch: &PathBuf| fs::read_to_string(switch).is_ok_and(|says| says.trim() == "Y");
    SWITCHES.iter().map(|switch| modules.join(switch)).find(is_on)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Modules of a kernel with one switch, as the kernel writes it.
    fn modules(name: &str, switch: &str, says: &str) -> PathBuf {
        let modules = std::env::temp_dir().join(format!("coinop-release-{}-{name}", std::process::id()));
        let file = modules.join(switch);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, says).unwrap();
        modules
    }

    #[test]
    fn a_kernel_that_keeps_outputs_driven_is_told_by_its_switch() {
        for (name, switch) in ["bcm2835", "rp1"].iter().zip(SWITCHES) {
            let modules = modules(name, switch, "Y\n");

            assert_eq!(switch_under(&modules), Some(modules.join(switch)));

            fs::remove_dir_all(modules).unwrap();
        }
    }

    #[test]
    fn a_kernel_that_lets_go_has_no_switch_or_it_is_off() {
        let modules = modules("off", SWITCHES[0], "N\n");

        assert_eq!(switch_under(&modules), None);
        assert_eq!(switch_under(&modules.join("nothing there")), None);

        fs::remove_dir_all(modules).unwrap();
    }
}
