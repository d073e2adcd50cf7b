#pragma once

#include <filesystem>
#include <fstream>
#include <string>

#include <nlohmann/json.hpp>

#include "families/wan/wan_family.h"
#include "files/checkpoints/checkpoint.h"
#include "t2v/checked_request.h"
#include "unit/published_models.h"

namespace t2v::testing {

inline Component hollow(const nlohmann::json& model) {
  Component component = hollow_component(model);
  component.config = Config(model["config"], "config.json");
  return component;
}

/// A published transformer beside the text encoder and the VAE of Wan2.1.
inline Checkpoint published_checkpoint(const std::string& transformer) {
  nlohmann::json vae = {{"config", nlohmann::json::object()}};
  vae["tensors"] = nlohmann::json::parse(
      std::ifstream(std::filesystem::path(T2V_FIXTURES) / "autoencoders" / "wan2.1_shapes.json"));
  Checkpoint checkpoint{.family = &wan_family(), .origin = ""};
  checkpoint.components.emplace("transformer", hollow(published_model(transformer)));
  checkpoint.components.emplace("text_encoder", hollow(published_model("umt5-xxl")));
  checkpoint.components.emplace("vae", hollow(vae));
  return checkpoint;
}

inline CheckedRequest request_480p81() {
  CheckedRequest request;
  request.size.width = 832;
  request.size.height = 480;
  request.size.num_frames = 81;
  request.sampling.num_inference_steps = 50;
  request.sampling.guidance_scale = 5;
  request.machine.dtype = "bfloat16";
  return request;
}

}  // namespace t2v::testing
