import { render } from "preact";
import "uplot/dist/uPlot.min.css";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/frame.css";
import "./styles/parts.css";
import "./styles/chart.css";
import "./styles/views.css";
import { App } from "./app";
import { startRouter } from "./router";
import { startTheme } from "./theme";

startTheme();
startRouter();
render(<App />, document.getElementById("app") as HTMLElement);
