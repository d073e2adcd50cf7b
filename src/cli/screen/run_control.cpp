#include "run_control.h"

#include "signals.h"

namespace t2v {

RunControl make_run_control(Progress& progress) {
  stop_on_signals(progress.stop_notice());
  return {.on_event = [&progress](const Event& event) { progress.on_event(event); },
          .stop = &stop_requested()};
}

}  // namespace t2v
