import eslint from '@eslint/js'
import prettier from 'eslint-config-prettier'
import jest from 'eslint-plugin-jest'
import typescript from 'typescript-eslint'

// Effects live in src/adapters and in the three entries; everything else is given what it needs.
const outside = [
  '@actions/*',
  'node:child_process',
  'node:dns',
  'node:fs',
  'node:fs/*',
  'node:http',
  'node:https',
  'node:net',
  'node:os',
  'node:worker_threads',
  '**/adapters/*'
]

export default typescript.config(
  {ignores: ['dist', 'lib', 'out', 'coverage', '.sandbox']},
  eslint.configs.recommended,
  typescript.configs.strictTypeChecked,
  typescript.configs.stylisticTypeChecked,
  {
    languageOptions: {
      parserOptions: {project: ['tsconfig.test.json'], tsconfigRootDir: import.meta.dirname}
    },
    rules: {
      '@typescript-eslint/restrict-template-expressions': ['error', {allowNumber: true}],
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      eqeqeq: 'error'
    }
  },
  {
    files: ['src/**/*.ts'],
    ignores: ['src/adapters/**', 'src/main.ts', 'src/post.ts', 'src/cli.ts'],
    rules: {
      'no-restricted-globals': [
        'error',
        {name: 'process', message: 'Only src/adapters and the entries touch the process; pass the value in.'},
        {name: 'fetch', message: 'Only src/adapters reaches the network.'}
      ],
      'no-restricted-imports': [
        'error',
        {patterns: [{group: outside, message: 'Only src/adapters and the entries touch the outside.'}]}
      ]
    }
  },
  {
    files: ['src/**/*.ts'],
    rules: {
      '@typescript-eslint/no-restricted-imports': [
        'error',
        {
          patterns: [
            {group: ['@actions/*'], allowTypeImports: true, message: 'Load it with await import(), when it is needed.'}
          ]
        }
      ]
    }
  },
  {
    files: ['**/*.js'],
    languageOptions: {parserOptions: {project: null}},
    extends: [typescript.configs.disableTypeChecked]
  },
  {
    files: ['__tests__/**/*.test.ts'],
    extends: [jest.configs['flat/recommended']],
    rules: {'jest/expect-expect': ['error', {assertFunctionNames: ['expect*']}]}
  },
  prettier
)
