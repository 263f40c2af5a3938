//! Detects the container around this process from the traces of its runtime.

use std::fs;
use std::path::Path;

use super::readings;

/// Markers in the control group paths of the first process, and the runtime of each.
const CGROUP_MARKERS: [(&str, &str); 5] = [
    ("kubepods", "kubernetes"),
    ("libpod", "podman"),
    ("docker", "docker"),
    ("containerd", "containerd"),
    ("lxc", "lxc"),
];

/// The container of this process, if there is one. `variable` reads an environment variable of this process.
pub(super) fn detect(root: &Path, variable: impl Fn(&str) -> Option<String>) -> Option<String> {
    let exists = |path: &str| root.join(path).exists();
    // The containers of a pod also have the traces of docker or another runtime; the outermost name is the most useful
    // one.
    if variable("KUBERNETES_SERVICE_HOST").is_some_and(|host| !host.is_empty()) {
        return Some("kubernetes".to_owned());
    }
    if exists("run/.containerenv") {
        return Some("podman".to_owned());
    }
    if exists(".dockerenv") {
        return Some("docker".to_owned());
    }
    let own = || name(&variable("container")?);
    own().or_else(|| from_init_environment(root)).or_else(|| from_cgroups(root))
}

/// The variable that runtimes set for the first process.
fn from_init_environment(root: &Path) -> Option<String> {
    let environment = fs::read(root.join("proc/1/environ")).ok()?;
    let value = environment.split(|&byte| byte == 0).find_map(|variable| variable.strip_prefix(b"container="))?;
    name(str::from_utf8(value).ok()?)
}

fn from_cgroups(root: &Path) -> Option<String> {
    let groups = fs::read_to_string(root.join("proc/1/cgroup")).ok()?;
    CGROUP_MARKERS.iter().find(|(marker, _)| groups.contains(marker)).map(|&(_, name)| name.to_owned())
}

/// The name of a runtime, such as `systemd-nspawn`. The variable may have an unrelated value.
fn name(value: &str) -> Option<String> {
    const LONGEST: usize = 32;
    let fits = |word: &String| {
        word.len() <= LONGEST && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    readings::printable(value).filter(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The container detected with these files and variables.
    fn detected(files: &[(&str, &str)], variables: &[(&str, &str)]) -> Option<String> {
        let root = tempfile::tempdir().unwrap();
        for (path, content) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        detect(root.path(), |name| variables.iter().find(|(known, _)| *known == name).map(|(_, v)| (*v).to_owned()))
    }

    #[test]
    fn a_bare_machine_is_in_no_container() {
        assert_eq!(detected(&[], &[]), None);
        let init = [("proc/1/cgroup", "0::/init.scope\n"), ("proc/1/environ", "HOME=/\0TERM=linux\0")];
        assert_eq!(detected(&init, &[("KUBERNETES_SERVICE_HOST", ""), ("container", "")]), None);
    }

    #[test]
    fn each_runtime_leaves_its_mark() {
        let cases: [(&str, &str, &str); 8] = [
            (".dockerenv", "", "docker"),
            ("run/.containerenv", "", "podman"),
            ("proc/1/environ", "A=1\0container=lxc\0B=2\0", "lxc"),
            ("proc/1/environ", "container=systemd-nspawn", "systemd-nspawn"),
            ("proc/1/cgroup", "11:memory:/kubepods/burstable/pod1/2\n", "kubernetes"),
            ("proc/1/cgroup", "0::/machine.slice/libpod-1.scope\n", "podman"),
            ("proc/1/cgroup", "12:pids:/docker/0123\n", "docker"),
            ("proc/1/cgroup", "1:name=systemd:/lxc/web\n", "lxc"),
        ];
        for (path, content, expected) in cases {
            assert_eq!(detected(&[(path, content)], &[]).as_deref(), Some(expected), "{path}: {content}");
        }
        assert_eq!(detected(&[], &[("container", "flatpak")]).as_deref(), Some("flatpak"));
    }

    #[test]
    fn a_pod_is_kubernetes_whatever_runs_it() {
        let pod = [("KUBERNETES_SERVICE_HOST", "10.0.0.1")];
        assert_eq!(detected(&[(".dockerenv", "")], &pod).as_deref(), Some("kubernetes"));
    }

    #[test]
    fn a_variable_that_names_no_runtime_is_ignored() {
        for value in ["a sentence", "\u{1b}[0m", "/some/path", &"x".repeat(40)] {
            assert_eq!(detected(&[], &[("container", value)]), None, "{value}");
        }
        assert_eq!(detected(&[("proc/1/environ", "container=\u{fffd}\0")], &[]), None);
    }
}
