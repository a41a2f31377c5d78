//! `postrider ses-password`: the SMTP password of AWS SES.

use crate::case::Case;

/// The key of AWS's own examples.
const KEY: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const PASSWORD: &str = "BLBM/9hSUELfq8Gw+rU1YcBjkOxGbhT2XG763xVLGWL9";

fn ses_password(region: &str, key: &str) -> Case {
    Case::new()
        .called("postrider")
        .args(["ses-password", region])
        .stdin(key)
}

#[test]
fn the_password_is_one_line() {
    for end in ["", "\n", "\r\n"] {
        ses_password("us-east-1", &format!("{KEY}{end}"))
            .stdout(format!("{PASSWORD}\n"))
            .run();
    }
}

#[test]
fn what_is_no_secret_key_gives_no_password() {
    for (region, key, status, told) in [
        (
            "us-east-1",
            "",
            65,
            "there is no secret key on standard input",
        ),
        (
            "us-east-1",
            "AKIAIOSFODNN7EXAMPLE\n",
            65,
            "the secret key has 20 characters, but those of AWS have 40",
        ),
        (
            "us-east-1",
            &format!("{KEY} \n"),
            65,
            "the secret key contains a blank",
        ),
        (
            "us-east-1",
            &KEY.repeat(1000),
            65,
            "the secret key has 4096 characters",
        ),
        ("Frankfurt", KEY, 64, "Frankfurt is not a region of AWS"),
        ("eu-central-1\n", KEY, 64, "is not a region of AWS"),
    ] {
        let ran = ses_password(region, key)
            .status(status)
            .stderr_contains(told)
            .run();
        let stderr = ran.stderr();
        assert!(
            !stderr.contains("wJalr") && !stderr.contains("AKIA"),
            "{stderr}"
        );
    }
}

#[test]
fn a_key_is_not_typed_at_a_terminal() {
    ses_password("us-east-1", "")
        .status(64)
        .at_terminal(|person| {
            person.sees("a terminal, which would show it");
        });
}
