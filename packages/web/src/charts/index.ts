export { LineChart, type LineChartProps } from './line-chart.tsx';
export { type ChartSeries, type Range, seriesColor, smooth } from './series.ts';
export { Sparkline } from './sparkline.tsx';
export { WhenVisible } from './when-visible.tsx';
