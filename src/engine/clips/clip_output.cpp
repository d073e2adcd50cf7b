#include "engine/clips/clip_output.h"

#include "media/output_format.h"
#include "media/video_writer.h"

namespace t2v {
namespace {

VideoSettings video_settings(const GenerateRequest& request, const std::string& settings) {
  return {.width = *request.width,
          .height = *request.height,
          .fps = *request.fps,
          .quality = request.quality,
          .crf = request.crf,
          .codec = request.codec,
          .pix_fmt = request.pix_fmt,
          .comment = request.metadata ? settings : "",
          .frame_count = *request.num_frames,
          .overwrite = request.overwrite};
}

}  // namespace

std::filesystem::path write_clip(const GenerateRequest& request, const std::string& settings,
                                 const Tensor& latents, VideoPipeline& pipeline, const RunControl& control) {
  const auto emit = [&](Event::Kind kind, const std::filesystem::path& path) {
    if (control.on_event) control.on_event({.kind = kind, .detail = path.string()});
  };
  VideoSettings video = video_settings(request, settings);
  video.stop = control.stop;
  const auto writer = make_video_writer(request.output, video);
  pipeline.decode(latents, [&](const Frames& frames) { writer->write(frames); });
  emit(Event::Kind::kWrite, request.output);
  if (control.stop != nullptr && *control.stop) throw Stopped{};
  writer->publish();
  const bool sequence = output_container(request.output) == Container::kPngSequence;
  const std::filesystem::path first =
      sequence ? SequenceNames(request.output, *request.num_frames).frame(1) : request.output;
  emit(Event::Kind::kDone, first);
  return first;
}

void expect_encoder(const GenerateRequest& request) {
  expect_encoder(request.output, video_settings(request, ""));
}

}  // namespace t2v
