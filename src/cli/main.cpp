#include <string>
#include <vector>

#include "cli/screen/signals.h"
#include "cli/screen/streams.h"
#include "run_command.h"

int main(int argument_count, char** arguments) {
  t2v::open_missing_streams();
  t2v::install_fault_handlers();
  t2v::watch_stop_signals();
  return t2v::run_command(
      std::vector<std::string>(arguments + (argument_count > 0 ? 1 : 0), arguments + argument_count));
}
