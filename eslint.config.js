import tseslint from 'typescript-eslint'

export default tseslint.config(
  {
    ignores: [
      'dist/**',
      'node_modules/**',
      'coverage/**',
      '.stryker-tmp/**',
      'reports/**',
      '.ci/**',
      'samples/*.mjs',
      'test/bench/*.mjs',
    ],
  },
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            { group: ['bigint-buffer', 'bigint-buffer/*'], message: 'only src/bytes/int.ts may import it' },
          ],
        },
      ],
    },
  },
  {
    files: ['src/bytes/int.ts', 'src/bytes/*.d.ts', 'test/unit/bytes/**'],
    rules: {
      'no-restricted-imports': 'off',
      '@typescript-eslint/no-unnecessary-condition': 'off',
      '@typescript-eslint/triple-slash-reference': 'off',
    },
  },
  {
    files: ['src/**/*.ts', 'test/**/*.ts'],
    rules: { 'no-nested-ternary': 'error' },
  },
  {
    files: ['src/**/*.ts'],
    ignores: ['src/cli/**'],
    rules: { 'no-restricted-globals': ['error', 'process', 'console', 'Buffer', 'setTimeout'] },
  },
  {
    files: ['src/bytes/int.ts', 'src/bytes/buffer-stand-in.ts'],
    rules: { 'no-restricted-globals': 'off' },
  },
  { files: ['eslint.config.js'], ...tseslint.configs.disableTypeChecked },
)
