//! Golden tests of the stored forms.
