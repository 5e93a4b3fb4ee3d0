import { DateInput, type DateInputProps } from '@mantine/dates';
import dayjs from 'dayjs';
import customParseFormat from 'dayjs/plugin/customParseFormat';

dayjs.extend(customParseFormat);

const written = ['YYYY-MM-DD', 'D MMM YYYY', 'D/M/YYYY', 'D.M.YYYY', 'D/M/YY', 'D MMM'];

type Props = Omit<DateInputProps, 'value' | 'onChange'> & {
  value?: string | null;
  onChange?: (date: string | null) => void;
};

/** A calendar date, typed ("4 Dec 2026", "4/12/26") or picked. */
export function DateField({ value, onChange, ...rest }: Props) {
  return (
    <DateInput
      size="sm"
      value={value}
      onChange={(date) => onChange?.(date as string | null)}
      valueFormat="D MMM YYYY"
      dateParser={(typed) => {
        const found = written.map((format) => dayjs(typed, format, true)).find((date) => date.isValid());
        return found ? found.format('YYYY-MM-DD') : null;
      }}
      withAsterisk={false}
      inputWrapperOrder={['label', 'input', 'description', 'error']}
      popoverProps={{ transitionProps: { duration: 80 } }}
      {...rest}
    />
  );
}
