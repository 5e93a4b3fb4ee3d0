import { fullDate, today } from '@/lib/dates';
import { useMay, useMe } from '@/session/me';
import { Page } from '@/ui/Page';
import { CameBack } from './CameBack';
import { FirstSteps } from './FirstSteps';
import { Glance } from './Glance';
import css from './Home.module.css';
import { MyWeek } from './MyWeek';
import { Today } from './Today';
import { Workload } from './Workload';

/** My week and, for those who lead, the firm at a glance. */
export function Home() {
  const { data: me } = useMe();
  const may = useMay();
  const leads = may('workflow:overview:read');
  return (
    <Page title={`${greeting()}, ${me?.name.split(' ')[0]}`} facts={fullDate(today())}>
      {leads && <FirstSteps />}
      {leads && <Glance />}
      <div className={css.columns}>
        <MyWeek />
        <div className={css.side}>
          {may('timebilling:time:write') && <Today />}
          <CameBack />
          {leads && <Workload />}
        </div>
      </div>
    </Page>
  );
}

function greeting(): string {
  const hour = new Date().getHours();
  if (hour < 5) return 'Good night';
  if (hour < 12) return 'Good morning';
  return hour < 18 ? 'Good afternoon' : 'Good evening';
}
