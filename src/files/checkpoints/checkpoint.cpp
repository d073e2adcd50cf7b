#include "files/checkpoints/checkpoint.h"

#include <algorithm>
#include <optional>
#include <set>

#include <nlohmann/json.hpp>

#include "core/log.h"
#include "core/setting.h"
#include "families/registry.h"
#include "files/checkpoints/recognise.h"

namespace t2v {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void unsupported(const Config& index, const std::string& got, const std::string& expected) {
  throw Error(ErrorCode::kInput, {.doing = "reading " + index.origin(), .got = got, .expected = expected});
}

Config read_model_index(const fs::path& folder) { return Config::read(folder / "model_index.json"); }

/// [library, class] of a component in model_index.json; "" for one that is absent or [null, null].
std::string component_class(const Config& index, const std::string& name) {
  if (!index.has(name)) return "";
  const nlohmann::json& entry = index.json().at(name);
  if (!entry.is_array() || entry.size() != 2) index.fail(name, "[library, class]");
  return entry[1].is_string() ? entry[1].get<std::string>() : "";
}

const Family& family_of(const Config& index) {
  const std::string pipeline = index.text("_class_name", "");
  if (const Family* family = find_family_of_pipeline(pipeline)) return *family;
  std::string known;
  for (const Family* family : families()) {
    for (const std::string& name : family->index_format().pipelines)
      known += (known.empty() ? "" : ", ") + name;
  }
  unsupported(index, "the pipeline '" + pipeline + "'", "one of " + known);
}

Component open_component(const fs::path& folder, const PartKind& kind) {
  const Config config = Config::read(folder / "config.json");
  Component component = open_tensors(folder, kind.weights);
  component.config = config;
  join_scales(component);
  split_fused(component, kind.fused);
  return component;
}

/// Whether there is a model_index.json.
bool is_diffusers_folder(const fs::path& folder) {
  std::error_code ignored;
  return fs::symlink_status(folder / "model_index.json", ignored).type() > fs::file_type::not_found;
}

/// The family whose pipeline the model_index.json names. Error (kInput) if no family has it.
const Family& family_of_diffusers_folder(const fs::path& folder) {
  return family_of(read_model_index(folder));
}

/// A checkpoint in the layout of diffusers. Parts in `left_out` are not opened; their configurations, where
/// they are there, are added to `configs`. Error (kInput).
Checkpoint open_diffusers_folder(const fs::path& folder, const std::set<std::string, std::less<>>& left_out,
                                 ConfigsByPart& configs) {
  const Config index = read_model_index(folder);
  const Family& family = family_of(index);
  Checkpoint checkpoint{.family = &family,
                        .origin = folder.string(),
                        .index = family.read_index(index),
                        .scheduler = Config::read(folder / "scheduler" / "scheduler_config.json")};
  for (const PartKind& kind : family.parts()) {
    const fs::path part = folder / kind.name;
    std::error_code ignored;
    if (kind.weights.empty()) {
      if (fs::exists(part, ignored)) checkpoint.tokenizers[kind.name] = {.path = part};
      continue;
    }
    if (left_out.contains(kind.name)) {
      if (fs::exists(part / "config.json", ignored))
        configs.emplace(kind.name, Config::read(part / "config.json"));
      continue;
    }
    const std::string class_name = component_class(index, kind.name);
    if (class_name.empty() && !kind.required) continue;
    if (std::find(kind.classes.begin(), kind.classes.end(), class_name) == kind.classes.end()) {
      unsupported(index, kind.name + " '" + class_name + "'", kind.classes.front());
    }
    checkpoint.components.emplace(kind.name, open_component(part, kind));
  }
  return checkpoint;
}

[[noreturn]] void refuse_model(const fs::path& model, const std::string& got, const std::string& advice) {
  throw Error(
      ErrorCode::kInput,
      {.doing = setting("model", model.string()), .got = got, .expected = "a checkpoint", .advice = advice});
}

/// Error (kInput) for what is no checkpoint, told by the names of files alone.
void check_model_path(const fs::path& model) {
  std::error_code ignored;
  if (!fs::exists(model, ignored)) refuse_model(model, "no such folder or file", "check the path");
  // What the index says is in no other file.
  const bool has_folders = std::any_of(families().begin(), families().end(), [&](const Family* family) {
    return fs::exists(model / denoiser_of(*family).name / "config.json", ignored) &&
           fs::exists(model / vae_of(*family).name / "config.json", ignored);
  });
  if (!is_diffusers_folder(model) && has_folders) {
    refuse_model(model, "a diffusers folder without model_index.json", "download the rest of it");
  }
}

Error absent_error(const Checkpoint& checkpoint, const std::vector<std::string>& absent) {
  std::string names, advice;
  for (const std::string& part : absent) {
    names += (names.empty() ? "no " : ", no ") + part;
    advice += (advice.empty() ? "" : "; ") + checkpoint.where_to_get(part);
  }
  return Error(ErrorCode::kInput, {.doing = "reading " + checkpoint.origin,
                                   .got = names,
                                   .expected = "all parts of a model",
                                   .advice = advice});
}

/// Leaves out the tensors that t2v does not use, with a warning.
void leave_out_ignored(Component& component, const PartKind& kind) {
  for (const IgnoredTensors& ignored : kind.ignored) {
    const size_t erased = std::erase_if(component.tensors, [&](const auto& tensor) {
      return tensor.first.find(ignored.piece) != std::string::npos;
    });
    if (erased == 0) continue;
    log_warning(component.origin + ": leaving out the " + std::to_string(erased) + " tensors of " +
                ignored.reason);
  }
}

/// scheduler_config.json from the metadata of the denoiser's file, or else of the published model.
Config scheduler_of(const Checkpoint& checkpoint) {
  const PartInfo transformer = checkpoint.get(denoiser_of(*checkpoint.family).name).info();
  const auto found = transformer.metadata.find(kSchedulerMetadata);
  if (found == transformer.metadata.end()) return checkpoint.family->published_scheduler(transformer);
  const Config said = Config::parse("{\"" + std::string(kSchedulerMetadata) + "\":" + found->second + "}",
                                    transformer.file.string() + ", metadata");
  const auto& scheduler = said.json().at(kSchedulerMetadata);
  if (!scheduler.is_object()) said.fail(kSchedulerMetadata, "an object");
  return Config(scheduler, transformer.origin + ", " + kSchedulerMetadata);
}

/// Opens what a user named, part by part.
class Opening {
 public:
  explicit Opening(const CheckpointSources& sources) : model_(sources.model), named_(sources.parts) {
    if (!model_.empty()) check_model_path(model_);
    read_loose_files();
    family_ = &choose_family();
  }

  Checkpoint run() {
    for (const auto& [part, path] : named_) {
      if (find_part(*family_, part) != nullptr) continue;
      throw Error(ErrorCode::kInput, {.doing = "reading " + path.string(),
                                      .got = "a " + part,
                                      .expected = "a part of a " + family_->name() + " model"});
    }
    open_model();
    PartChooser chooser(*family_, checkpoint_.origin);
    // The transformer tells which of several other parts is meant.
    const std::string transformer = denoiser_of(*family_).name;
    for (const PartKind& kind : family_->parts()) {
      if (kind.network() == transformer) take_candidate(kind.name, chooser);
    }
    for (const PartKind& kind : family_->parts()) {
      if (named_.contains(kind.name)) replace(kind, named_.find(kind.name)->second);
    }
    for (const PartKind& kind : family_->parts()) take_candidate(kind.name, chooser);
    chooser.expect_decided();
    finish();
    return std::move(checkpoint_);
  }

 private:
  /// Headers of the model, and of the parts that replace its own, if they are not diffusers folders.
  void read_loose_files() {
    for (const auto& [part, path] : named_) {
      if (!is_tokenizer(part) && !is_diffusers_folder(path)) loose_.emplace(part, LooseFiles::read(path));
    }
    if (!model_.empty() && !is_diffusers_folder(model_)) loose_model_ = LooseFiles::read(model_);
  }

  /// The family of the model's index, of a part's index, or of the tensors that are there.
  const Family& choose_family() const {
    if (!model_.empty() && !loose_model_) return family_of_diffusers_folder(model_);
    for (const auto& [part, path] : named_) {
      if (is_diffusers_folder(path)) return family_of_diffusers_folder(path);
    }
    std::vector<const Component*> all;
    const auto add = [&](const LooseFiles& files) {
      for (const LooseFiles::Tensors& tensors : files.tensors) all.push_back(&tensors.component);
    };
    for (const auto& [part, files] : loose_) add(files);
    if (loose_model_) add(*loose_model_);
    const Family* family = recognise_family(all);
    return family != nullptr ? *family : *families().front();
  }

  /// The whole of a checkpoint, without the parts that are replaced; of loose files the candidates for its
  /// parts.
  void open_model() {
    checkpoint_ = {.family = family_, .origin = ""};
    std::set<std::string, std::less<>> left_out;
    for (const PartKind& kind : family_->parts()) {
      const auto named = named_.find(kind.name);
      if (named == named_.end()) continue;
      left_out.insert(kind.name);
      if (checkpoint_.origin.empty()) checkpoint_.origin = named->second.string();
    }
    if (model_.empty()) return;
    if (!loose_model_) {
      checkpoint_ = open_diffusers_folder(model_, left_out, replaced_);
      return;
    }
    checkpoint_.origin = model_.string();
    candidates_ = recognise_loose_parts(*loose_model_, *family_, {.left_out = left_out});
    if (candidates_.found.empty()) {
      refuse_model(model_, "a folder without model_index.json and without files of a model",
                   "download the checkpoint, or check the path");
    }
    checkpoint_.tokenizers = candidates_.tokenizers;
  }

  const Component* transformer() const {
    const auto found = checkpoint_.components.find(denoiser_of(*family_).name);
    return found != checkpoint_.components.end() ? &found->second : nullptr;
  }

  /// Moves the candidate that is chosen into the checkpoint.
  void take_candidate(const std::string& part, PartChooser& chooser) {
    const auto found = candidates_.candidates.find(part);
    if (found == candidates_.candidates.end()) return;
    auto chosen = chooser.choose(part, std::move(found->second), transformer());
    candidates_.candidates.erase(found);
    if (chosen) checkpoint_.components.insert_or_assign(part, std::move(*chosen));
  }

  /// Takes a part from the path that a user named for it.
  void replace(const PartKind& kind, const fs::path& path) {
    if (is_tokenizer(kind.name)) {
      checkpoint_.tokenizers[kind.name] = open_tokenizer(path);
    } else if (is_diffusers_folder(path)) {
      ConfigsByPart ignored;
      checkpoint_.components.insert_or_assign(kind.name,
                                              open_diffusers_folder(path, {}, ignored).get(kind.name));
    } else {
      checkpoint_.components.insert_or_assign(kind.name, choose_in(kind, loose_.at(kind.name)));
    }
  }

  /// The part of this kind, or a twin of it: which of two twins a file is, the user says.
  Component choose_in(const PartKind& kind, const LooseFiles& files) {
    LooseOptions options{.left_out = {}, .replaced = replaced_};
    for (const PartKind& other : family_->parts()) {
      if (other.network() != kind.network()) options.left_out.insert(other.name);
    }
    if (kind.network() != kind.name && checkpoint_.has(kind.network())) {
      options.replaced.insert_or_assign(kind.network(), checkpoint_.get(kind.network()).config);
    }
    LooseParts parts = recognise_loose_parts(files, *family_, options);
    const bool has_own = parts.candidates.contains(kind.name) || parts.candidates.empty();
    const std::string name = has_own ? kind.name : parts.candidates.begin()->first;
    PartChooser chooser(*family_, files.path.string());
    // A part that is named is meant, and refused by name where it does not fit.
    const bool several = parts.candidates[name].size() > 1;
    auto chosen = chooser.choose(name, std::move(parts.candidates[name]), several ? transformer() : nullptr);
    chooser.expect_decided();
    if (!chosen) {
      std::string got = parts.found.empty() ? "no tensors" : "";
      for (const std::string& other : parts.found) got += (got.empty() ? "a " : ", a ") + other;
      throw Error(ErrorCode::kInput, {.doing = "reading " + files.path.string(),
                                      .got = got,
                                      .expected = "a " + kind.name,
                                      .advice = "check the flag"});
    }
    if (!kind.tokenizer.empty()) checkpoint_.tokenizers.merge(parts.tokenizers);
    return std::move(*chosen);
  }

  void finish() {
    for (auto& [part, component] : checkpoint_.components)
      leave_out_ignored(component, *find_part(*family_, part));
    const bool has_index = checkpoint_.scheduler.has("_class_name");
    const bool other_transformer = std::any_of(named_.begin(), named_.end(), [&](const auto& part) {
      const PartKind* kind = find_part(*family_, part.first);
      return kind != nullptr && kind->network() == denoiser_of(*family_).name;
    });
    if (!has_index || other_transformer) checkpoint_.index = family_->derive_index(checkpoint_.info());
    if (!has_index && transformer() != nullptr) checkpoint_.scheduler = scheduler_of(checkpoint_);
    family_->check_parts(checkpoint_.info());
  }

  const fs::path model_;
  const std::map<std::string, fs::path> named_;           ///< parts that replace those of the model
  std::optional<LooseFiles> loose_model_;                 ///< of a model that is no diffusers folder
  std::map<std::string, LooseFiles, std::less<>> loose_;  ///< by part
  const Family* family_ = nullptr;
  ConfigsByPart replaced_;
  LooseParts candidates_;
  Checkpoint checkpoint_;
};

}  // namespace

Checkpoint Checkpoint::open(const CheckpointSources& sources) { return Opening(sources).run(); }

std::string Checkpoint::where_to_get(std::string_view part) const {
  const PartKind* kind = find_part(*family, part);
  return kind != nullptr ? "name it with " + setting(part) + ": " + kind->where : "";
}

bool Checkpoint::has_two_denoisers() const {
  const PartKind* second = second_denoiser_of(*family);
  return second != nullptr && has(second->name);
}

const Component& Checkpoint::get(std::string_view part) const {
  const auto found = components.find(part);
  if (found == components.end()) throw absent_error(*this, {std::string(part)});
  return found->second;
}

const TokenizerSource& Checkpoint::get_tokenizer(std::string_view part) const {
  const auto found = tokenizers.find(part);
  if (found == tokenizers.end()) throw absent_error(*this, {std::string(part)});
  return found->second;
}

std::vector<MissingPart> Checkpoint::missing_parts() const {
  const ModelInfo model = info();
  std::vector<MissingPart> parts;
  for (const PartKind& kind : family->parts()) {
    if (model.has(kind.name)) continue;
    if (auto part = family->missing(kind, model)) parts.push_back(std::move(*part));
  }
  return parts;
}

void Checkpoint::expect_complete() const {
  std::vector<std::string> absent;
  for (const MissingPart& part : missing_parts()) {
    if (part.needed) absent.push_back(part.name);
  }
  if (!absent.empty()) throw absent_error(*this, absent);
}

ModelInfo Checkpoint::info() const {
  ModelInfo model{.parts = {}, .index = index};
  for (const auto& [part, component] : components) model.parts.emplace(part, component.info());
  for (const auto& [part, source] : tokenizers)
    model.parts.emplace(part, PartInfo{.origin = origin, .file = source.path});
  return model;
}

ModelInfo Checkpoint::configurations() const {
  ModelInfo model{.parts = {}, .index = index};
  for (const auto& [part, component] : components)
    model.parts.emplace(part, PartInfo{.origin = component.origin, .config = component.config});
  return model;
}

LatentGeometry Checkpoint::geometry() const {
  get(vae_of(*family).name);
  return family->geometry(configurations());
}

}  // namespace t2v
