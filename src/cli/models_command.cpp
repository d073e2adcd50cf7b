#include <algorithm>
#include <memory>

#include <nlohmann/json.hpp>

#include "cli/screen/format.h"
#include "cli/screen/progress.h"
#include "cli/screen/streams.h"
#include "commands.h"
#include "t2v/error.h"
#include "t2v/hub.h"

namespace t2v {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kDescription = R"(t2v models: the checkpoints that t2v knows, and those on this machine.

Examples
  t2v models
  t2v models path wan2.1-t2v-1.3b
  t2v models verify Wan-AI/Wan2.1-T2V-1.3B-Diffusers

Usage
  t2v models list            names, repositories and sizes of all models
  t2v models path NAME       the folder of a model, for other programs
  t2v models verify NAME     checks every file against its hash
)";

constexpr const char* kNotes = R"(
Standard output with --json: for list, an array of
  {"name", "repository" (null: bundled with t2v), "about", "bytes",
   "path" (null: not on this machine), "whole"}
for path {"path"}, and for verify
  {"path", "files", "bytes", "unverified": [FILE...]}
--progress json: verify events with "done" of "total" bytes and the file as
"detail". The size of a model that is not here is that of its download, about.
)";

const std::vector<std::string> kActions = {"list", "path", "verify"};

struct ModelsArguments {
  std::string action = "list";
  std::string name;
};

std::string size_of(const ListedModel& model) { return model.bytes > 0 ? format_bytes(model.bytes) : "?"; }

std::string padded(const std::string& text, size_t width) {
  return width == 0 ? text : text + std::string(width - std::min(width, text.size()) + 2, ' ');
}

int list(bool json) {
  const std::vector<ListedModel> models = list_models();
  Json objects = Json::array();
  std::string lines;
  size_t names = 0, repositories = 0, sizes = 0;
  for (const ListedModel& model : models) {
    names = std::max(names, model.name.size());
    repositories = std::max(repositories, model.repository.size());
    sizes = std::max(sizes, size_of(model).size());
  }
  for (const ListedModel& model : models) {
    const bool here = !model.path.empty();
    objects.push_back({{"name", model.name},
                       {"repository", model.repository.empty() ? Json() : Json(model.repository)},
                       {"about", model.about},
                       {"bytes", model.bytes},
                       {"path", here ? Json(model.path.string()) : Json()},
                       {"whole", model.whole}});
    lines += padded(model.name, names) + padded(size_of(model), sizes) +
             padded(model.whole ? "here"
                    : here      ? "not whole"
                                : "-",
                    9) +
             padded(model.repository, model.about.empty() ? 0 : repositories) + model.about + '\n';
  }
  return json ? print_json(objects) : print(lines);
}

int verify(const std::string& name, bool json, Progress& progress) {
  const VerifyResult result = verify_model(name, make_run_control(progress));
  if (result.files == 0) {
    throw Error(ErrorCode::kInput,
                {.doing = "verifying " + result.path.string(),
                 .got = "no file whose hash is known",
                 .expected = "a model that t2v pull, or another tool of the Hub, has fetched"});
  }
  progress.summarize(true);
  if (json) {
    return print_json({{"path", result.path.string()},
                       {"files", result.files},
                       {"bytes", result.bytes},
                       {"unverified", result.unverified}});
  }
  for (const std::string& file : result.unverified) {
    progress.log("t2v: warning: " + file + " is no link to a blob, so its hash is unknown");
  }
  return print(result.path.string() + ": " + std::to_string(result.files) + " files, " +
               format_bytes(result.bytes) + ", every hash is right\n");
}

int run(const Invocation& invocation, const ModelsArguments& arguments, Progress& progress) {
  const bool named = !arguments.name.empty();
  if (named == (arguments.action == "list")) {
    throw Error(ErrorCode::kUsage,
                {.doing = "t2v models " + arguments.action,
                 .got = named ? '"' + arguments.name + '"' : "no name",
                 .expected = named ? "nothing after it" : "the name of a model",
                 .advice = named ? "t2v models path " + arguments.name + " tells where it is"
                                 : "t2v models list shows them"});
  }
  if (arguments.action == "list") return list(invocation.json);
  if (arguments.action == "verify") return verify(arguments.name, invocation.json, progress);
  const std::string path = find_model(arguments.name).string();
  return invocation.json ? print_json({{"path", path}}) : print(path + '\n');
}

}  // namespace

Command models_command() {
  const auto arguments = std::make_shared<ModelsArguments>();
  return {.name = "models",
          .summary = "Lists, finds and verifies checkpoints",
          .description = kDescription,
          .notes = kNotes,
          .operands = {choice_flag({"ACTION"}, "What to do", kActions, arguments->action, arguments->action),
                       path_flag({"NAME"}, "TEXT", "A short name, or org/repo[@revision]", arguments->name,
                                 "none")},
          .run = [arguments](const Invocation& invocation, Progress& progress) {
            return run(invocation, *arguments, progress);
          }};
}

}  // namespace t2v
