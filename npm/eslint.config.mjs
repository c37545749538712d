// How the scripts of the site are linted: what types can show is refused, and a closed set is matched whole.
//
// What should be here: rules about `scripts/`. What should not: layout of code, or what the tidy rules of xtask keep.
import tseslint from 'typescript-eslint';

/** A function that does not fit on a screen does two things; the Rust side has the same bound. */
const FUNCTION_LINES_MAX = 70;

export default tseslint.config({
  files: ['scripts/**/*.ts'],
  extends: [tseslint.configs.strictTypeChecked],
  languageOptions: { parserOptions: { projectService: true } },
  linterOptions: { reportUnusedDisableDirectives: 'error' },
  rules: {
    'max-lines-per-function': ['error', FUNCTION_LINES_MAX],
    eqeqeq: 'error',
    'no-var': 'error',
    'prefer-const': 'error',
    '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: false }],
    // A number in a text is its decimal digits, as it is meant.
    '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
    // The promise of `test` is the runner's own.
    '@typescript-eslint/no-floating-promises': ['error', { allowForKnownSafeCalls: [{ from: 'package', name: 'test', package: 'node:test' }] }],
  },
});
