import { createTheme, type MantineColorsTuple } from '@mantine/core';

// The visual language in one place. Every colour a component uses is one of these ramps or a token of tokens.css.

const accent: MantineColorsTuple = [
  '#effaf8',
  '#d6f1ed',
  '#aee2db',
  '#7dcdc4',
  '#4db3a9',
  '#2b978d',
  '#178077',
  '#0f6b64',
  '#0d5651',
  '#0b4642',
];

// Neutral greys with a blue undertone.
const gray: MantineColorsTuple = [
  '#f8f9fb',
  '#f1f3f6',
  '#e6e9ee',
  '#d8dde4',
  '#c2c9d3',
  '#98a2b1',
  '#6a7585',
  '#4c5666',
  '#333c4a',
  '#1b222d',
];

const dark: MantineColorsTuple = [
  '#d5dae2',
  '#b3bbc7',
  '#929cab',
  '#6b7584',
  '#3a4351',
  '#2a313d',
  '#1d232d',
  '#151a22',
  '#10141b',
  '#0b0e13',
];

// The list itself scrolls, so that screen readers meet one listbox and not a box around it.
const options = {
  withScrollArea: false,
  styles: { options: { maxHeight: 240, overflowY: 'auto' as const } },
};

export const theme = createTheme({
  primaryColor: 'accent',
  primaryShade: { light: 7, dark: 6 },
  colors: { accent, gray, dark },
  black: '#1b222d',
  fontFamily: "'Inter Variable', system-ui, -apple-system, 'Segoe UI', sans-serif",
  fontFamilyMonospace: 'ui-monospace, SFMono-Regular, Menlo, Consolas, monospace',
  fontSizes: { xs: '12px', sm: '13px', md: '14px', lg: '16px', xl: '20px' },
  lineHeights: { xs: '1.35', sm: '1.4', md: '1.45', lg: '1.45', xl: '1.3' },
  spacing: { xs: '8px', sm: '12px', md: '16px', lg: '24px', xl: '32px' },
  radius: { xs: '3px', sm: '4px', md: '6px', lg: '8px', xl: '12px' },
  defaultRadius: 'md',
  headings: {
    fontWeight: '600',
    sizes: {
      h1: { fontSize: '20px', lineHeight: '1.3' },
      h2: { fontSize: '16px', lineHeight: '1.35' },
      h3: { fontSize: '14px', lineHeight: '1.4' },
    },
  },
  respectReducedMotion: true,
  cursorType: 'pointer',
  components: {
    InputWrapper: {
      styles: {
        label: { marginBottom: 4, fontWeight: 600 },
        description: { marginTop: 4, fontSize: 12 },
        error: { marginTop: 4, fontSize: 12 },
      },
    },
    Button: { defaultProps: { size: 'sm' }, styles: { label: { fontWeight: 600 } } },
    ActionIcon: { defaultProps: { variant: 'subtle', color: 'gray' } },
    TextInput: {
      defaultProps: { size: 'sm', inputWrapperOrder: ['label', 'input', 'description', 'error'] },
    },
    PasswordInput: {
      defaultProps: { size: 'sm', inputWrapperOrder: ['label', 'input', 'description', 'error'] },
    },
    Textarea: { defaultProps: { size: 'sm', inputWrapperOrder: ['label', 'input', 'description', 'error'] } },
    NumberInput: {
      defaultProps: { size: 'sm', inputWrapperOrder: ['label', 'input', 'description', 'error'] },
    },
    Select: {
      defaultProps: {
        size: 'sm',
        inputWrapperOrder: ['label', 'input', 'description', 'error'],
        comboboxProps: { transitionProps: { duration: 80 } },
        ...options,
      },
    },
    MultiSelect: { defaultProps: options },
    TagsInput: { defaultProps: options },
    Modal: {
      defaultProps: {
        centered: false,
        yOffset: '12vh',
        overlayProps: { backgroundOpacity: 0.35 },
        transitionProps: { duration: 100 },
      },
      styles: { title: { fontWeight: 600, fontSize: 16 } },
    },
    Menu: { defaultProps: { shadow: 'sm', transitionProps: { duration: 80 } } },
    Tooltip: {
      defaultProps: { openDelay: 350, transitionProps: { duration: 80 }, withArrow: false, fz: 'xs' },
    },
    Paper: { defaultProps: { withBorder: true, shadow: undefined } },
    Popover: { defaultProps: { shadow: 'sm', transitionProps: { duration: 80 } } },
  },
});

// Mantine's own variables follow the tokens, so that its components and ours share one surface and ink.
const shared = {
  '--mantine-color-body': 'var(--surface)',
  '--mantine-color-text': 'var(--ink)',
  '--mantine-color-dimmed': 'var(--ink-faint)',
  '--mantine-color-placeholder': 'var(--ink-faint)',
  '--mantine-color-default': 'var(--surface)',
  '--mantine-color-default-hover': 'var(--surface-hover)',
  '--mantine-color-default-border': 'var(--line-strong)',
  '--mantine-color-error': 'var(--overdue)',
  '--mantine-color-anchor': 'var(--accent)',
};

export const cssVariables = () => ({ variables: {}, light: shared, dark: shared });
