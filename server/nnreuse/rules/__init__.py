"""The rules, one file each: documentation with executed examples, `check`, and the fixes it offers."""
