//! Tokens and password commands: where they come from, and what a failure of their source means.

use crate::case::Case;

/// Returns `mailx -s t ops@example.com` by a relay where nobody listens, with this password command.
fn command(script: &str) -> Case {
    Case::new()
        .rc("set mta=submission://tester@127.0.0.1:1")
        .rc(&format!("set password-command=\"/bin/sh -c '{script}'\""))
        .args(["-s", "t", "ops@example.com"])
        .stdin("x\n")
}

#[test]
fn a_token_command_without_network_is_no_refusal() {
    let table = [
        ("exit 75", 75, "exited with status 75"),
        ("exit 69", 75, "exited with status 69"),
        ("exit 68", 75, "exited with status 68"),
        ("kill -9 $$", 75, "was killed by signal 9"),
        ("exit 1", 77, "exited with status 1"),
        ("exit 67", 77, "exited with status 67"),
        ("exit 77", 77, "exited with status 77"),
        ("exit 78", 77, "exited with status 78"),
        ("true", 77, "printed no password"),
    ];
    for (script, status, why) in table {
        command(script)
            .status(status)
            .says(&format!(
                "cannot get the password from password-command: /bin/sh {why}"
            ))
            .keeps(1)
            .run();
    }
}
