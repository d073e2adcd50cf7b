#include "arguments.h"

#include <algorithm>

#include <CLI/CLI.hpp>

#include "t2v/error.h"
#include "t2v/text.h"

namespace t2v {
namespace {

constexpr const char* kCommand = "generate";
constexpr const char* kSeeHelp = "t2v --help lists the flags";

struct Given {
  const Flag* flag;
  std::string value;
};

[[noreturn]] void refuse(const std::string& doing, const std::string& got, const std::string& expected,
                         const std::string& advice = kSeeHelp) {
  throw Error(ErrorCode::kUsage, {.doing = doing, .got = got, .expected = expected, .advice = advice});
}

bool is_flag_like(const std::string& word) { return word.size() > 1 && word[0] == '-'; }

std::string name_of(const std::string& word) { return word.substr(0, word.find('=')); }

/// What is written after a flag that takes a value; a known flag there means that the value was forgotten.
void check_value(const std::vector<std::string>& words, size_t flag_at) {
  const std::string& flag = words[flag_at];
  const std::string expected = "a value: " + find_flag(flag)->value;
  if (flag_at + 1 == words.size()) refuse(flag, "nothing after it", expected);
  const std::string& next = words[flag_at + 1];
  if (is_flag_like(next) && find_flag(name_of(next)) != nullptr) {
    refuse(flag, "the flag " + name_of(next), expected,
           "write " + find_flag(flag)->names[0] + "=" + next + " if that is the value");
  }
}

/// The words as CLI11 has to see them: our spelling of `_` and `-`, and an empty value after `=` as a word of
/// its own.
std::vector<std::string> normalize(const std::vector<std::string>& words) {
  std::vector<std::string> result;
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string name = name_of(words[i]);
    const Flag* flag = is_flag_like(name) ? find_flag(name) : nullptr;
    const bool inline_value = name.size() < words[i].size();
    if (flag == nullptr) {
      result.push_back(words[i]);
    } else if (inline_value) {
      if (!flag->takes_value()) refuse(name, '"' + words[i].substr(name.size() + 1) + '"', "no value");
      result.push_back(flag->names[0]);
      result.push_back(words[i].substr(name.size() + 1));
    } else {
      result.push_back(flag->names[0]);
      if (!flag->takes_value()) continue;
      check_value(words, i);
      result.push_back(words[++i]);
    }
  }
  return result;
}

[[noreturn]] void refuse_flag(const std::string& word) {
  const std::string name = name_of(word);
  const std::vector<std::string> names = flag_names();
  std::string meant = closest_match(name, names);
  for (const std::string& candidate : names) {
    if (meant.empty() && name.size() > 3 && candidate.rfind(name, 0) == 0) meant = candidate;
  }
  refuse("unknown flag " + name, "", "", meant.empty() ? kSeeHelp : "did you mean " + meant + "?");
}

/// The Error for a word that is neither a flag nor the value of one.
[[noreturn]] void refuse_word(const std::string& word, bool first) {
  if (is_flag_like(word)) refuse_flag(word);
  if (!first)
    refuse("command line", '"' + word + "\" after a complete flag", "another flag",
           "quote text that has blanks");
  const bool close = !closest_match(word, {kCommand}).empty();
  refuse("unknown command \"" + word + '"', "", "", close ? "did you mean generate?" : kSeeHelp);
}

/// Splits the words into flags and their values; what belongs to no flag goes to `extras`.
std::vector<Given> split(const std::vector<std::string>& words, std::vector<std::string>& extras) {
  std::vector<Given> given;
  CLI::App app;
  app.set_help_flag();
  app.allow_extras();
  for (const FlagGroup& group : flag_groups()) {
    for (const Flag& flag : group.flags) {
      const std::string names = CLI::detail::join(flag.names, ",");
      const auto add = [&given, &flag](const std::string& value) { given.push_back({&flag, value}); };
      CLI::Option* option = flag.takes_value() ? app.add_option_function<std::string>(names, add)
                                               : app.add_flag_callback(names, [add] { add(""); });
      option->multi_option_policy(CLI::MultiOptionPolicy::TakeLast)->trigger_on_parse();
    }
  }
  try {
    app.parse(std::vector<std::string>(words.rbegin(), words.rend()));
  } catch (const CLI::ParseError& error) {
    refuse(error.what(), "", "");
  }
  extras = app.remaining();
  return given;
}

}  // namespace

void parse_arguments(const std::vector<std::string>& words, Arguments& arguments) {
  const bool named = !words.empty() && words[0] == kCommand;
  const std::vector<std::string> flags = normalize({words.begin() + (named ? 1 : 0), words.end()});
  std::vector<std::string> extras;
  const std::vector<Given> given = split(flags, extras);

  const FlagGroup& talking = flag_groups().back();
  const auto talks = [&](const Given& item) {
    return item.flag >= talking.flags.data() && item.flag < talking.flags.data() + talking.flags.size();
  };
  const auto apply = [&](const Given& item) { item.flag->set({item.flag->names[0], item.value}, arguments); };
  for (const Given& item : given) {
    if (talks(item)) apply(item);
  }
  if (arguments.help || arguments.version) return;
  if (!extras.empty()) refuse_word(extras[0], !named && extras[0] == words[0]);
  for (const Given& item : given) {
    if (!talks(item)) apply(item);
  }
  arguments.request.arguments = words;
}

}  // namespace t2v
