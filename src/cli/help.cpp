#include "help.h"

#include <sstream>

#include "flags.h"

namespace t2v {
namespace {

constexpr size_t kWidth = 80;
constexpr size_t kColumn = 26;

constexpr const char* kHead = R"(t2v: renders a video clip from a text prompt.

Examples
  t2v --prompt "a red ball moves to the right over green grass" -o clip.mp4
  t2v -p "an orange fish circles in the sea" --seed 7 -o fish.mp4
  t2v -p "a white star spins at night" --quality lossless -o star.mkv
  echo "a green car moves left in the desert" | t2v -p - -o car.mp4

Usage
  t2v [generate] --prompt TEXT -o FILE [flags]
)";

constexpr const char* kTail = R"(
In long flags _ and - are the same. Of a flag given twice the last one holds,
and so of flags that say the same in two ways, such as --size and --width.
Values are never rounded in silence: what the model cannot make is an error.

Standard output: the path of the clip (of .png files, the first), or with --json
  {"output": PATH, "seconds": X, "settings": {...}}
Standard error: everything else. The seed used is always shown unless quiet.

--progress json writes one JSON object a line, each with "version" (1), "event"
and "elapsed" (seconds since the start); a reader skips events it does not know:
  start        "settings": what will be rendered
  load, encode_text, step, decode, write
               "done" of "total" (0: not counted), "detail" (a component, a
               path), "left" (seconds left of this phase, null if not known)
  log          "message": a warning or a detail
  done         "output": the path of the clip, which is whole now
  error        "code" (the exit code), "message"
  summary      "ok", "seconds": {phase: seconds}; last, if the run began

Exit codes
  0  the clip is written            4  the output cannot be written
  1  a bug in t2v                   5  out of memory, or no such device
  2  wrong flag, value or prompt,   6  numbers went wrong (NaN)
     or the output exists           129, 130, 143  stopped by a signal
  3  model missing or bad
)";

/// Appends words one after the other, with lines that start at `column` and end before kWidth.
void wrap(std::string& text, const std::string& words, size_t column) {
  size_t at = column;
  std::istringstream stream(words);
  for (std::string word; stream >> word;) {
    if (at > column && at + 1 + word.size() > kWidth) {
      text += '\n' + std::string(column, ' ');
      at = column;
    }
    if (at > column) text += ' ', ++at;
    text += word;
    at += word.size();
  }
  text += '\n';
}

std::string describe(const Flag& flag) {
  std::string words = flag.help;
  if (!flag.allowed.empty()) words += " (" + flag.allowed + ")";
  if (!flag.fallback.empty()) words += " [default: " + flag.fallback + "]";
  std::string aliases;
  for (size_t i = 1; i < flag.names.size(); ++i) {
    if (flag.names[i].size() > 2) aliases += (aliases.empty() ? "; also " : ", ") + flag.names[i];
  }
  return words + aliases;
}

void append_flag(std::string& text, const Flag& flag) {
  const bool has_short = flag.names.size() > 1 && flag.names[1].size() == 2;
  std::string left = has_short ? "  " + flag.names[1] + ", " + flag.names[0] : "      " + flag.names[0];
  if (flag.takes_value()) left += ' ' + flag.value;
  if (left.size() + 2 > kColumn) {
    text += left + '\n' + std::string(kColumn, ' ');
  } else {
    text += left + std::string(kColumn - left.size(), ' ');
  }
  wrap(text, describe(flag), kColumn);
}

}  // namespace

std::string help_text() {
  std::string text = kHead;
  for (const FlagGroup& group : flag_groups()) {
    text += '\n' + group.title + '\n';
    for (const Flag& flag : group.flags) append_flag(text, flag);
  }
  return text + kTail;
}

}  // namespace t2v
