#pragma once

#include <filesystem>
#include <fstream>
#include <map>
#include <string>

#include <nlohmann/json.hpp>

#include "tensors/weights/safetensors_writer.h"
#include "unit/second_family/sketch_family.h"

namespace t2v::testing {

/// A model of the Sketch family with random weights, which are the same each time.
class SketchCheckpoint {
 public:
  /// In the layout of diffusers.
  void write_diffusers_folder(const std::filesystem::path& folder) const {
    nlohmann::json index = {{"_class_name", "SketchPipeline"}};
    for (const PartKind& part : SketchFamily().parts()) {
      index[part.name] = nlohmann::json::array({part.library, part.classes.front()});
      if (part.weights.empty()) continue;
      write_text(folder / part.name / "config.json", configs_.at(part.name).dump());
      write_safetensors(folder / part.name / (part.weights + ".safetensors"), tensors_.at(part.name), {});
    }
    write_tokenizer(folder / kTokenizer2);
    write_text(folder / "scheduler" / "scheduler_config.json",
               R"({"_class_name": "FlowMatchEulerDiscreteScheduler", "shift": 2.0})");
    write_text(folder / "model_index.json", index.dump());
  }

  /// One file for each part, without configurations; the U-Net's tensors have their original names.
  void write_loose_files(const std::filesystem::path& folder) const {
    const std::map<std::string, std::string> original = {
        {"conv_in.weight", "paper.w"}, {"conv_in.bias", "paper.b"}, {"conv_out.weight", "pen.w"},
        {"conv_out.bias", "pen.b"},    {"time.", "clock."},         {"attention.", "read."}};
    Tensors unet;
    for (const auto& [name, tensor] : tensors_.at(kUnet)) {
      for (const auto& [ours, theirs] : original) {
        if (name.starts_with(ours)) unet.emplace_back("model." + theirs + name.substr(ours.size()), tensor);
      }
    }
    write_tokenizer(folder);
    write_safetensors(folder / "a.safetensors", unet, {});
    write_safetensors(folder / "b.safetensors", tensors_.at(kVqVae), {});
    write_safetensors(folder / "c.safetensors", tensors_.at(kTextEncoder2), {});
  }

 private:
  using Tensors = std::vector<std::pair<std::string, Tensor>>;
  static constexpr int64_t kChannels = 6, kWidth = 10, kTextWidth = 8, kWords = 30;

  static void write_text(const std::filesystem::path& file, const std::string& text) {
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
  }

  /// A piece for each letter, and "</s>" behind every prompt.
  static void write_tokenizer(const std::filesystem::path& folder) {
    using Json = nlohmann::json;
    Json vocab = Json::array();
    for (const char* piece : {"<pad>", "</s>", "<unk>", " "}) vocab.push_back(Json::array({piece, -1.0}));
    for (char letter = 'a'; letter <= 'z'; ++letter)
      vocab.push_back(Json::array({std::string(1, letter), -2.0}));
    const Json end = {{"id", "</s>"}, {"ids", Json::array({1})}, {"tokens", Json::array({"</s>"})}};
    const Json single = Json::array({Json{{"Sequence", {{"id", "A"}, {"type_id", 0}}}},
                                     Json{{"SpecialToken", {{"id", "</s>"}, {"type_id", 0}}}}});
    const nlohmann::json tokenizer = {
        {"version", "1.0"},
        {"post_processor",
         {{"type", "TemplateProcessing"}, {"single", single}, {"special_tokens", {{"</s>", end}}}}},
        {"model", {{"type", "Unigram"}, {"unk_id", 2}, {"vocab", vocab}}}};
    write_text(folder / "tokenizer.json", tokenizer.dump());
  }

  /// Random tensors of these shapes.
  Tensors random(const std::vector<std::pair<std::string, std::vector<int64_t>>>& shapes) {
    Tensors tensors;
    for (const auto& [name, shape] : shapes) tensors.emplace_back(name, at::randn(shape, generator_) * 0.5);
    return tensors;
  }

  at::Generator generator_ = seeded_generator(1);
  std::map<std::string, nlohmann::json> configs_ = {
      {kUnet, {{"channels", kChannels}, {"width", kWidth}, {"text_width", kTextWidth}}},
      {kVqVae, {{"channels", kChannels}}},
      {kTextEncoder2, {{"words", kWords}, {"width", kTextWidth}}}};
  std::map<std::string, Tensors> tensors_ = {
      {kUnet, random({{"conv_in.weight", {kWidth, kChannels, 3, 3}},
                      {"conv_in.bias", {kWidth}},
                      {"time.weight", {kWidth, 1}},
                      {"time.bias", {kWidth}},
                      {"attention.query.weight", {kWidth, kWidth}},
                      {"attention.query.bias", {kWidth}},
                      {"attention.key.weight", {kWidth, kTextWidth}},
                      {"attention.key.bias", {kWidth}},
                      {"attention.value.weight", {kWidth, kTextWidth}},
                      {"attention.value.bias", {kWidth}},
                      {"conv_out.weight", {kChannels, kWidth, 3, 3}},
                      {"conv_out.bias", {kChannels}}})},
      {kVqVae, random({{"unpatch.weight", {96, kChannels}}, {"unpatch.bias", {96}}})},
      {kTextEncoder2, random({{"words.weight", {kWords, kTextWidth}}, {"norm.weight", {kTextWidth}}})}};
};

}  // namespace t2v::testing
