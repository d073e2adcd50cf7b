#include "command_line.h"

#include <algorithm>
#include <deque>

#include "usage_error.h"

namespace t2v {
namespace {

using Groups = std::vector<FlagGroup>;

const std::vector<std::string> kProgressStyles = {"auto", "bar", "plain", "json", "none"};
const std::vector<std::string> kColors = {"auto", "always", "never"};

std::string name_of(const std::string& word) { return word.substr(0, word.find('=')); }

/// The flag that a word gives, with or without a value behind "="; nullptr for any other word.
const Flag* flag_in(const Groups& groups, const std::string& word) {
  return is_flag_like(word) ? find_flag(groups, name_of(word)) : nullptr;
}

/// Splits short flags that are written as one word: "-qs5" into "-q" and "-s=5". Other words stay.
std::vector<std::string> unbundled(const Groups& groups, const std::string& word) {
  if (!is_flag_like(word) || word[1] == '-' || flag_in(groups, word) != nullptr) return {word};
  std::vector<std::string> words;
  for (size_t i = 1; i < word.size(); ++i) {
    const std::string name = {'-', word[i]};
    const Flag* flag = find_flag(groups, name);
    const bool has_value = flag != nullptr && flag->takes_value() && i + 1 < word.size();
    words.push_back(flag == nullptr ? '-' + word.substr(i)
                    : has_value     ? name + '=' + word.substr(i + 1)
                                    : name);
    if (flag == nullptr || has_value) break;
  }
  return words;
}

/// Takes the value of a flag from behind "=", or from the words that follow.
std::string take_value(const Groups& groups, const std::string& word, std::deque<std::string>& following) {
  const Flag& flag = *flag_in(groups, word);
  const std::string name = name_of(word);
  if (name.size() < word.size()) {
    const std::string value = word.substr(name.size() + 1);
    if (flag.takes_value() || value == "true" || value == "false") return value;
    refuse(name, '"' + value + '"', "true or false");
  }
  if (!flag.takes_value()) return "true";
  const std::string expected = "a value: " + flag.value;
  if (following.empty()) refuse(name, "nothing after it", expected, "write it after the flag");
  const std::string value = following.front();
  if (flag_in(groups, value) != nullptr) {
    refuse(name, "the flag " + name_of(value), expected,
           "write " + flag.name() + "=" + value + " if that is the value");
  }
  following.pop_front();
  return value;
}

void add(std::vector<GivenFlag>& given, const Flag& flag, const std::string& value) {
  const std::string key = flag.name().substr(2);
  const auto earlier =
      std::find_if(given.begin(), given.end(), [&](const GivenFlag& item) { return item.name == key; });
  if (earlier != given.end() && flag.repeatable) {
    earlier->values.push_back(value);
    return;
  }
  if (earlier != given.end()) given.erase(earlier);
  given.push_back({key, {value}, flag.name()});
}

}  // namespace

FlagGroup general_flags(Invocation& invocation) {
  return {"General",
          {switch_flag({"--quiet", "-q"}, "Print errors only", invocation.log_level, LogLevel::kQuiet),
           switch_flag({"--verbose", "-v"}, "Print details of loading and of automatic choices",
                       invocation.log_level, LogLevel::kVerbose),
           switch_flag({"--json"}, "Print the result on standard output as JSON", invocation.json, true),
           choice_flag({"--progress"}, "How progress is shown on standard error", kProgressStyles,
                       invocation.progress, invocation.progress),
           choice_flag({"--color"}, "Colours on standard error; auto: on a terminal, unless NO_COLOR is set",
                       kColors, invocation.color, invocation.color),
           switch_flag({"--help", "-h"}, "Print this help", invocation.help, true),
           switch_flag({"--version"}, "Print the version", invocation.version, true)}};
}

bool is_flag_like(const std::string& word) { return word.size() > 1 && word[0] == '-'; }

CommandLine read_command_line(const Groups& groups, const std::vector<std::string>& words) {
  CommandLine line;
  std::deque<std::string> left(words.begin(), words.end());
  while (!left.empty()) {
    const std::vector<std::string> split = unbundled(groups, left.front());
    left.pop_front();
    left.insert(left.begin(), split.begin() + 1, split.end());
    if (const Flag* flag = flag_in(groups, split.front())) {
      add(line.flags, *flag, take_value(groups, split.front(), left));
    } else {
      line.other_words.push_back(split.front());
    }
  }
  return line;
}

}  // namespace t2v
