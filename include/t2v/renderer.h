#pragma once

#include <memory>
#include <vector>

#include "t2v/generate.h"

namespace t2v {

class RenderEngine;

/// Renders clips one after another in one process and keeps what those to come can use. The frames are those
/// that generate() makes.
class Renderer {
 public:
  Renderer();
  ~Renderer();
  Renderer(const Renderer&) = delete;
  Renderer& operator=(const Renderer&) = delete;

  /// The requests that will be rendered, as check() returned them, in their order; replaces what was expected
  /// before. Their prompts are encoded together, with one load of the text encoder, and models stay loaded
  /// while one of these requests is still to come that uses the same ones, memory permitting. A request that
  /// is not among them is rendered as well. Error (kUsage) for one that check() has not filled.
  void expect(const std::vector<GenerateRequest>& requests);

  /// As t2v::generate(), which is a Renderer that expects nothing. After an Error or Stopped the next clip
  /// can be rendered. Not by two threads at once.
  GenerateResult generate(const GenerateRequest& request, const RunControl& control);

 private:
  std::vector<GenerateRequest> expected_;
  std::unique_ptr<RenderEngine> engine_;
};

}  // namespace t2v
