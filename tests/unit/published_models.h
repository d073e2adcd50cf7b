#pragma once

#include <filesystem>
#include <fstream>
#include <string>

#include <gtest/gtest.h>
#include <unistd.h>
#include <nlohmann/json.hpp>

#include "tensors/weights/weights.h"

namespace t2v::testing {

/// The entry `name` of fixtures/published_models.json.
inline nlohmann::json published_model(const std::string& name) {
  return nlohmann::json::parse(
      std::ifstream(std::filesystem::path(T2V_FIXTURES) / "published_models.json"))[name];
}

/// A float32 component with the tensors of a published model and no values: a file with a hole of up to 70 GB
/// behind its header, mapped and never read.
inline Component hollow_component(const nlohmann::json& model) {
  nlohmann::json header;
  uint64_t end = 0;
  const auto add = [&](const std::string& name, const nlohmann::json& shape) {
    uint64_t bytes = 4;
    for (const uint64_t side : shape) bytes *= side;
    header[name] = {{"dtype", "F32"}, {"shape", shape}, {"data_offsets", {end, end + bytes}}};
    end += bytes;
  };
  const nlohmann::json& config = model["config"];
  const int layers = config.value("num_layers", config.value("num_hidden_layers", 0));
  for (const auto& [name, shape] : model["tensors"].items()) {
    const size_t layer = name.find(".N.");
    if (layer == std::string::npos) {
      add(name, shape);
      continue;
    }
    for (int i = 0; i < layers; ++i) {
      add(name.substr(0, layer + 1) + std::to_string(i) + name.substr(layer + 2), shape);
    }
  }
  std::string bytes = header.dump();
  bytes.resize((bytes.size() + 7) / 8 * 8, ' ');
  std::string length;
  for (int i = 0; i < 8; ++i) length += static_cast<char>(bytes.size() >> (8 * i));

  const auto file = std::filesystem::path(::testing::TempDir()) / ("hollow-" + std::to_string(::getpid()));
  std::ofstream(file, std::ios::binary) << length << bytes;
  std::filesystem::resize_file(file, 8 + bytes.size() + end);
  Component component = open_tensors(file);
  std::filesystem::remove(file);
  return component;
}

inline Weights hollow_checkpoint(const nlohmann::json& model) {
  return Weights::open(hollow_component(model), {});
}

}  // namespace t2v::testing
